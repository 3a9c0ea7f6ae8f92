//! What the build costs with 22 services, from what it costs now, and the limits for both.
//!
//! A service more is a service of 6,000 lines at the price of `links` per line, and a contract of 500
//! lines at the price of the contracts that there are. All else stays as it is: what `app` gains by
//! a service is some dozens of lines. The work of one more is spread over all cores, because
//! services wait for nothing but platform and contracts.

use anyhow::{Context as _, Result};

use super::Build;
use super::report::{Cost, Report};
use crate::workspace::{Shelf, Workspace};

/// So many services there will be.
const SERVICES: usize = 22;
const SERVICE_LINES: f64 = 6_000.0;
const CONTRACT_LINES: f64 = 500.0;
/// The service whose price per line is taken, because it is whole.
const MODEL: &str = "links";
/// A cold release build with the services of today, and with all of them.
const RELEASE_S_MAX: [f64; 2] = [210.0, 480.0];
/// What the program may weigh: so much, and so much more for each service.
const BINARY_BASE_MB: f64 = 25.0;
const BINARY_SERVICE_MB: f64 = 2.5;

/// The arithmetic of one build.
#[derive(Debug)]
pub(super) struct Estimate {
    build: Build,
    now_s: f64,
    cores: f64,
    services: usize,
    service: Cost,
    contract: Cost,
    binary_mb: Option<f64>,
}

impl Estimate {
    pub(super) fn of(workspace: &Workspace, report: &Report) -> Result<Self> {
        let model = report.crates.iter().find(|cost| cost.name == MODEL);
        let contract = report.sum("contracts", |cost| cost.shelf == Shelf::Contracts);
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self {
            build: report.build,
            now_s: report.times.wall_s,
            cores: cores as f64,
            services: workspace.services().count(),
            service: model
                .with_context(|| format!("{MODEL} was not built"))?
                .clone(),
            contract,
            binary_mb: report.binary_bytes.map(|bytes| bytes as f64 / 1e6),
        })
    }

    fn more(&self) -> f64 {
        SERVICES.saturating_sub(self.services) as f64
    }

    /// What one more service costs one core: itself, and its contract.
    fn service_s(&self) -> (f64, f64) {
        (
            self.service.per_1000_lines() * SERVICE_LINES / 1_000.0,
            self.contract.per_1000_lines() * CONTRACT_LINES / 1_000.0,
        )
    }

    fn then_s(&self) -> f64 {
        let (service, contract) = self.service_s();
        self.now_s + self.more() * (service + contract) / self.cores
    }

    fn binary_then_mb(&self, now: f64) -> f64 {
        now + self.more() * BINARY_SERVICE_MB
    }

    fn limits(&self) -> Vec<(String, f64, f64)> {
        let mut limits = Vec::new();
        if self.build == Build::Release {
            let [now, then] = RELEASE_S_MAX;
            limits.push(("seconds now".to_owned(), self.now_s, now));
            limits.push((
                format!("seconds with {SERVICES} services"),
                self.then_s(),
                then,
            ));
        }
        if let Some(now) = self.binary_mb {
            let allowed = |services: usize| BINARY_BASE_MB + services as f64 * BINARY_SERVICE_MB;
            let then = self.binary_then_mb(now);
            limits.push(("MB now".to_owned(), now, allowed(self.services)));
            limits.push((
                format!("MB with {SERVICES} services"),
                then,
                allowed(SERVICES),
            ));
        }
        limits
    }

    /// Whether every limit is kept.
    pub(super) fn holds(&self) -> bool {
        self.limits().iter().all(|(_, is, limit)| is <= limit)
    }

    /// The arithmetic, and what the limits say to it.
    pub(super) fn tell(&self) -> String {
        let (service_s, contract_s) = self.service_s();
        let (name, more, cores) = (self.build.name(), self.more(), self.cores);
        let mut text = format!(
            "\n{name}, {more} more services: a service of {SERVICE_LINES} lines at {:.1} s per 1,000 ({MODEL}) is {service_s:.1} s, \
             a contract of {CONTRACT_LINES} at {:.1} is {contract_s:.1} s; \
             {:.0} s now + {more} x {:.1} s / {cores} cores = {:.0} s with {SERVICES} services.\n",
            self.service.per_1000_lines(),
            self.contract.per_1000_lines(),
            self.now_s,
            service_s + contract_s,
            self.then_s(),
        );
        if let Some(now) = self.binary_mb {
            text.push_str(&format!(
                "The program: {now:.1} MB now + {more} x {BINARY_SERVICE_MB} MB = {:.1} MB; \
                 allowed are {BINARY_BASE_MB} MB and {BINARY_SERVICE_MB} MB for each service.\n",
                self.binary_then_mb(now)
            ));
        }
        for (what, is, limit) in self.limits() {
            let word = if is <= limit { "holds" } else { "MISSED" };
            text.push_str(&format!("- {what}: {is:.1}, at most {limit:.0}: {word}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(name: &str, seconds: f64, lines: usize) -> Cost {
        Cost {
            name: name.to_owned(),
            shelf: Shelf::Other,
            seconds,
            lines,
        }
    }

    fn estimate() -> Estimate {
        Estimate {
            build: Build::Release,
            now_s: 200.0,
            cores: 2.0,
            services: 2,
            service: cost("links", 30.0, 12_000),
            contract: cost("contracts", 6.0, 1_500),
            binary_mb: Some(29.0),
        }
    }

    #[test]
    fn a_service_more_costs_its_lines_at_the_price_of_today() {
        // 6 x 2.5 s and 0.5 x 4 s: 17 s, of which 20 are done by 2 cores.
        let estimate = estimate();
        assert_eq!(estimate.service_s(), (15.0, 2.0));
        assert_eq!(estimate.then_s(), 370.0);
        assert!(estimate.holds(), "{}", estimate.tell());
        assert!(
            estimate
                .tell()
                .contains("200 s now + 20 x 17.0 s / 2 cores = 370 s with 22 services")
        );
        assert!(
            estimate
                .tell()
                .contains("29.0 MB now + 20 x 2.5 MB = 79.0 MB")
        );
    }

    #[test]
    fn each_limit_is_missed_by_itself() {
        let slow = Estimate {
            now_s: 211.0,
            ..estimate()
        };
        assert!(
            slow.tell()
                .contains("seconds now: 211.0, at most 210: MISSED"),
            "{}",
            slow.tell()
        );
        let dear = Estimate {
            service: cost("links", 60.0, 12_000),
            ..estimate()
        };
        assert!(
            dear.tell()
                .contains("22 services: 520.0, at most 480: MISSED"),
            "{}",
            dear.tell()
        );
        let heavy = Estimate {
            binary_mb: Some(30.5),
            ..estimate()
        };
        assert!(
            heavy.tell().contains("MB now: 30.5, at most 30: MISSED"),
            "{}",
            heavy.tell()
        );
        for missed in [slow, dear, heavy] {
            assert!(!missed.holds());
        }
    }

    #[test]
    fn the_tests_have_no_limit_and_make_no_program() {
        let tests = Estimate {
            build: Build::Tests,
            now_s: 900.0,
            binary_mb: None,
            ..estimate()
        };
        assert!(tests.holds());
        assert!(tests.limits().is_empty());
    }
}
