//! How often each test or job was run, and how often it failed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::ci::job::Ended;
use crate::suite::event::{End, Told};
use crate::suite::report::{self, tail};

/// The counts by name.
#[derive(Default)]
pub struct Tally {
    counts: BTreeMap<String, Count>,
}

#[derive(Default)]
struct Count {
    runs: u32,
    failures: u32,
    /// What the last failure printed.
    last: String,
}

impl Tally {
    /// Counts a run of the tests.
    pub fn note_tests(&mut self, told: &[Told]) {
        for each in told {
            for test in &each.tests {
                let failure = match test.end {
                    End::Ignored => continue,
                    End::Passed => None,
                    _ => Some(report::failure(each, test)),
                };
                self.note(format!("{} {}", each.binary.label(), test.name), failure);
            }
            if let Some(trouble) = &each.trouble {
                let failure = format!("{trouble}\n{}", tail(&each.beside));
                self.note(
                    format!("{} (its process)", each.binary.label()),
                    Some(failure),
                );
            }
        }
    }

    /// Counts a run of jobs.
    pub fn note_jobs(&mut self, ended: &[Ended]) {
        for job in ended {
            let failure = job.failure.as_ref().map(|why| {
                let log = std::fs::read(&job.log).unwrap_or_default();
                format!("{}{why}\n", tail(&String::from_utf8_lossy(&log)))
            });
            self.note(format!("{} {}", job.section, job.name), failure);
        }
    }

    fn note(&mut self, name: String, failure: Option<String>) {
        let count = self.counts.entry(name).or_default();
        count.runs += 1;
        if let Some(failure) = failure {
            count.failures += 1;
            count.last = failure;
        }
    }

    fn failed(&self) -> impl Iterator<Item = (&String, &Count)> {
        self.counts.iter().filter(|(_, count)| count.failures > 0)
    }

    /// Whether something was run, and nothing failed even once.
    #[must_use]
    pub fn is_well(&self) -> bool {
        !self.counts.is_empty() && self.failed().next().is_none()
    }

    /// The sums, in a line.
    #[must_use]
    pub fn line(&self) -> String {
        let runs: u32 = self.counts.values().map(|count| count.runs).sum();
        let failures: u32 = self.counts.values().map(|count| count.failures).sum();
        format!(
            "{runs} runs, {failures} failures, {} of {} by luck",
            self.failed().count(),
            self.counts.len()
        )
    }

    /// The last failure of each one that failed, then the rates.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, count) in self.failed() {
            let _ = writeln!(text, "\n==== {name} ====\n{}", count.last.trim_end());
        }
        text.push('\n');
        for (name, count) in self.failed() {
            let _ = writeln!(text, "{} of {} failed  {name}", count.failures, count.runs);
        }
        let (well, luck) = (
            self.counts.len() - self.failed().count(),
            self.failed().count(),
        );
        let _ = writeln!(text, "{}\n\n{well} passed, {luck} failed", self.line());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_even_once_is_told_with_its_rate() {
        let mut tally = Tally::default();
        assert!(!tally.is_well(), "nothing was run");
        for round in 0..20 {
            tally.note("links it good".to_owned(), None);
            let failure = (round == 7).then(|| "left: 1\n".to_owned());
            tally.note("links it lucky".to_owned(), failure);
        }
        let text = tally.text();
        assert!(!tally.is_well());
        assert!(
            text.contains("==== links it lucky ====\nleft: 1\n"),
            "{text}"
        );
        assert!(
            text.contains("\n1 of 20 failed  links it lucky\n"),
            "{text}"
        );
        assert!(
            text.ends_with("40 runs, 1 failures, 1 of 2 by luck\n\n1 passed, 1 failed\n"),
            "{text}"
        );
    }
}
