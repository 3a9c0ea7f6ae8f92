//! What each section may take, in seconds on two cores, and what follows for twenty-two services.
//!
//! A section costs something by itself and something for each service of some 6,000 lines. Those that run side by
//! side are counted in seconds of work, of which the pool does several in one second of the clock.

use std::fmt::Write as _;

/// So many services the house is built for.
pub const SERVICES_THEN: usize = 22;
/// The bounds of a whole run, in minutes: now, and with all services when everything or what one change
/// touches is taken.
pub const WHOLE_NOW_MIN: u32 = 18;
/// See [`WHOLE_NOW_MIN`].
pub const WHOLE_ALL_MIN: u32 = 35;
/// See [`WHOLE_NOW_MIN`].
pub const WHOLE_USUAL_MIN: u32 = 25;
/// What has not changed is run once in so many commits.
pub const SHARES: u64 = 4;
/// How many jobs of the pool run at a time.
pub const SLOTS: usize = 4;
/// So many seconds of work the pool does in a second: its jobs wait for each other's cores now and then.
const POOL_PACE: f64 = 2.5;

/// One section and its budget.
#[derive(Debug)]
pub struct Section {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it proves, in a few words.
    pub about: &'static str,
    /// When it runs.
    pub lane: Lane,
    /// Seconds by itself.
    pub base_s: f64,
    /// Seconds for each service.
    pub service_s: f64,
}

/// When a section runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Alone, before the others.
    Alone,
    /// In the pool, whole each time.
    Pool,
    /// In the pool, for the services that are taken.
    Taken,
}

const fn section(name: &'static str, about: &'static str, lane: Lane, cost: (f64, f64)) -> Section {
    Section {
        name,
        about,
        lane,
        base_s: cost.0,
        service_s: cost.1,
    }
}

/// Every section, in the order in which they begin.
pub const SECTIONS: &[Section] = &[
    section(
        "install",
        "what is missing on a bare machine",
        Lane::Alone,
        (60.0, 0.0),
    ),
    section("format", "cargo fmt", Lane::Alone, (5.0, 0.1)),
    section(
        "build",
        "everything once, with clippy as the compiler",
        Lane::Alone,
        (190.0, 7.0),
    ),
    section("tests", "cargo xtask test", Lane::Alone, (70.0, 14.0)),
    section(
        "release",
        "the release build, its size and its memory",
        Lane::Pool,
        (230.0, 11.0),
    ),
    section(
        "stamp",
        "a stamped service in every topology",
        Lane::Pool,
        (80.0, 2.0),
    ),
    section(
        "metrics",
        "promtool reads every process",
        Lane::Pool,
        (10.0, 0.5),
    ),
    section(
        "deny",
        "licences, sources, advisories",
        Lane::Pool,
        (20.0, 0.0),
    ),
    section("tidy", "the house rules", Lane::Pool, (5.0, 0.2)),
    section(
        "crash",
        "SIGKILL at random moments loses nothing",
        Lane::Taken,
        (0.0, 40.0),
    ),
    section(
        "openapi",
        "schemathesis holds the API to its document",
        Lane::Taken,
        (10.0, 15.0),
    ),
    section(
        "browser",
        "the console in a real browser",
        Lane::Taken,
        (60.0, 20.0),
    ),
    section(
        "lab",
        "every experiment runs, and its checks can fail",
        Lane::Taken,
        (60.0, 25.0),
    ),
];

impl Section {
    /// Seconds with so many services, of which the section takes `taken`.
    #[must_use]
    pub fn budget_s(&self, services: f64, taken: f64) -> f64 {
        let counted = if self.lane == Lane::Taken {
            taken
        } else {
            services
        };
        self.base_s + self.service_s * counted
    }
}

/// Seconds of the clock for a whole run.
#[must_use]
pub fn whole_s(services: f64, taken: f64) -> f64 {
    let sum = |lane: fn(Lane) -> bool| -> f64 {
        let meant = SECTIONS.iter().filter(|section| lane(section.lane));
        meant.map(|section| section.budget_s(services, taken)).sum()
    };
    sum(|lane| lane == Lane::Alone) + sum(|lane| lane != Lane::Alone) / POOL_PACE
}

/// What a usual change takes: the service that changed, and of the others one share.
#[must_use]
pub fn usual(services: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are four shares")]
    let shares = SHARES as f64;
    1.0 + (services - 1.0).max(0.0) / shares
}

/// The budget as a table in Markdown: now, and with `then` services.
#[must_use]
pub fn table(then: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "services are few")]
    let then_f = then as f64;
    let mut text = format!(
        "| section | what must hold | seconds | for each service | with {then} |\n|---|---|---|---|---|\n"
    );
    for section in SECTIONS {
        let Section {
            name,
            about,
            base_s,
            service_s,
            ..
        } = section;
        let all = section.budget_s(then_f, then_f);
        let _ = writeln!(
            text,
            "| {name} | {about} | {base_s} | {service_s} | {all:.0} |"
        );
    }
    let minutes = |taken: f64| whole_s(then_f, taken) / 60.0;
    let _ = writeln!(
        text,
        "\nThe first {} run one after the other; the work of the others is done {POOL_PACE} times as fast as the \
         clock runs.\nSo a whole run may take {WHOLE_NOW_MIN} minutes now; with {then} services {:.0} minutes with \
         everything taken, and {:.0} for a change of one service.",
        SECTIONS
            .iter()
            .filter(|section| section.lane == Lane::Alone)
            .count(),
        minutes(then_f),
        minutes(usual(then_f)),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_stays_within_its_bounds() {
        let minutes = |services, taken| whole_s(services, taken) / 60.0;
        assert!(
            minutes(2.0, 2.0) < f64::from(WHOLE_NOW_MIN),
            "{}",
            minutes(2.0, 2.0)
        );
        assert!(
            minutes(22.0, 22.0) < f64::from(WHOLE_ALL_MIN),
            "{}",
            minutes(22.0, 22.0)
        );
        let usual = minutes(22.0, usual(22.0));
        assert!(usual < f64::from(WHOLE_USUAL_MIN), "{usual}");
    }

    #[test]
    fn contributing_states_this_budget() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../CONTRIBUTING.md");
        let text = std::fs::read_to_string(path).unwrap();
        let stated = table(SERVICES_THEN);
        assert!(
            text.contains(&stated),
            "write this into CONTRIBUTING.md:\n{stated}"
        );
    }
}
