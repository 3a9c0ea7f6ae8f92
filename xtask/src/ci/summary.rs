//! The end of a run: what each section took beside its budget, and of each failure all that is needed.

use std::fmt::Write as _;
use std::time::Duration;

use super::budget::{SECTIONS, Section, WHOLE_NOW_MIN};
use super::job::Ended;
use crate::suite::report::tail;

/// What is summed up.
pub(super) struct Summary<'a> {
    /// Every job that was run.
    pub(super) ended: &'a [Ended],
    /// How many services there are.
    pub(super) services: usize,
    /// How long it took by the clock.
    pub(super) took: Duration,
    /// Whether all sections were run.
    pub(super) is_whole: bool,
}

impl Summary<'_> {
    /// Whether every job passed, and one was run.
    #[must_use]
    pub(super) fn is_well(&self) -> bool {
        !self.ended.is_empty() && self.ended.iter().all(|job| job.failure.is_none())
    }

    /// The text, with what failed at its very end.
    #[must_use]
    pub(super) fn text(&self) -> String {
        let mut text = String::from("\nsection   jobs  seconds of work  budget\n");
        for section in SECTIONS {
            text.push_str(&self.line(section).unwrap_or_default());
        }
        for note in self.ended.iter().flat_map(|job| &job.notes) {
            let _ = writeln!(text, "{note}");
        }
        let minutes = self.took.as_secs_f64() / 60.0;
        let bound = if self.is_whole {
            format!(" of {WHOLE_NOW_MIN}")
        } else {
            String::new()
        };
        let _ = writeln!(text, "{minutes:.1}{bound} minutes by the clock");
        let failed = self
            .ended
            .iter()
            .filter(|job| job.failure.is_some())
            .count();
        let _ = writeln!(
            text,
            "\n{} passed, {failed} failed",
            self.ended.len() - failed
        );
        for job in self.ended {
            text.push_str(&failure(job).unwrap_or_default());
        }
        text
    }

    fn line(&self, section: &Section) -> Option<String> {
        let jobs: Vec<&Ended> = self
            .ended
            .iter()
            .filter(|job| job.section == section.name)
            .collect();
        let took: f64 = jobs.iter().map(|job| job.took().as_secs_f64()).sum();
        #[expect(clippy::cast_precision_loss, reason = "services are few")]
        let services = self.services as f64;
        let budget = section.budget_s(services, services);
        let how = match jobs.iter().any(|job| job.failure.is_some()) {
            true => "FAILED",
            false if took > budget => "passed, over its budget",
            false => "passed",
        };
        (!jobs.is_empty()).then(|| {
            format!(
                "{:<9} {:>4}  {took:>15.0}  {budget:>6.0}  {how}\n",
                section.name,
                jobs.len()
            )
        })
    }
}

/// Why a job failed, its last lines, and how to repeat exactly it.
fn failure(job: &Ended) -> Option<String> {
    let why = job.failure.as_ref()?;
    let text = String::from_utf8_lossy(&std::fs::read(&job.log).unwrap_or_default()).into_owned();
    let (section, name, log) = (job.section, &job.name, job.log.display());
    let only = if matches!(section, "tests" | "format" | "build") {
        String::new()
    } else {
        format!(" --only {name}")
    };
    Some(format!(
        "\n==== FAILED: {section} {name} ====\n{}{why}\nall of it: {log}\nagain: .ci/run {section}{only}\n",
        tail(&text)
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_failure_ends_the_text_with_its_reason_and_how_to_repeat_it() {
        let began = Instant::now();
        let log = testkit::TempDir::new().unwrap();
        let path = log.path().join("log");
        std::fs::write(&path, "check one\ncheck two\n").unwrap();
        let job = |name: &str, failure: Option<&str>| Ended {
            section: "lab",
            name: name.to_owned(),
            span: (began, began + Duration::from_secs(3)),
            failure: failure.map(str::to_owned),
            log: path.clone(),
            notes: vec![format!("noted by {name}")],
        };
        let ended = [job("bulkhead", Some("it hung")), job("balancers", None)];
        let summary = Summary {
            ended: &ended,
            services: 2,
            took: Duration::from_secs(90),
            is_whole: false,
        };
        let text = summary.text();
        assert!(!summary.is_well());
        assert!(text.contains("lab          2                6"), "{text}");
        assert!(
            text.contains("\n1 passed, 1 failed\n") && text.contains("noted by balancers"),
            "{text}"
        );
        assert!(text.contains("check two\nit hung\n"), "{text}");
        assert!(
            text.ends_with("again: .ci/run lab --only bulkhead\n"),
            "{text}"
        );
    }

    #[test]
    fn nothing_at_all_is_no_success() {
        let summary = Summary {
            ended: &[],
            services: 2,
            took: Duration::ZERO,
            is_whole: true,
        };
        assert!(!summary.is_well());
    }
}
