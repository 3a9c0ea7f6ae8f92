//! What one client may expect of one key: versions that never go back, and its own writes.
//!
//! Terry et al., "Session Guarantees for Weakly Consistent Replicated Data" (PDIS 1994), with a
//! version per key in place of a set of writes.

use std::collections::BTreeMap;

use crate::history::History;
use crate::operation::{Ask, Operation};
use crate::verdict::{Counterexample, Finding, Verdict, witness};

/// Each read of a client sees at least the version that its reads before have seen of that key.
///
/// Only answered reads that tell a version count, and only pairs of which one ended before the other
/// began. Counts: `reads`, `without_version`.
#[must_use]
pub fn monotonic_reads(history: &History) -> Verdict {
    let rule = Rule {
        check: "monotonic_reads",
        earlier: |operation| operation.ask == Ask::Read,
        promise: "seen before",
    };
    rule.check(history)
}

/// Each read of a client sees at least the version of its acknowledged writes before it.
///
/// Only operations that tell a version count: a write, an addition or a compare-and-set that swapped
/// tells which version it made. A doubtful write promises nothing.
/// Counts: `reads`, `without_version`.
#[must_use]
pub fn read_your_writes(history: &History) -> Verdict {
    let rule = Rule {
        check: "read_your_writes",
        earlier: |operation| !operation.ask.only_looks(),
        promise: "written before",
    };
    rule.check(history)
}

struct Rule {
    check: &'static str,
    /// Which operations bind the reads after them.
    earlier: fn(&Operation) -> bool,
    promise: &'static str,
}

/// An operation with its number and the version that it told.
type Told<'a> = (u64, (usize, &'a Operation));

impl Rule {
    fn check(&self, history: &History) -> Verdict {
        let mut finding = Finding::new(self.check);
        finding.add("reads", 0);
        finding.add("without_version", 0);
        let mut sessions: BTreeMap<(u32, &str), Vec<Told<'_>>> = BTreeMap::new();
        for (number, operation) in (1..).zip(history.operations()) {
            match operation.seen().map(|seen| seen.version) {
                Some(Some(version)) => {
                    let session = (operation.client, operation.key.as_str());
                    let told = (version, (number, operation));
                    sessions.entry(session).or_default().push(told);
                }
                Some(None) if operation.ask == Ask::Read => finding.add("without_version", 1),
                _ => {}
            }
        }
        let mut bound = 0;
        for ((client, key), told) in &sessions {
            bound += self.check_session(&mut finding, &format!("client {client}, {key}"), told);
        }
        finding.verdict((bound == 0).then(|| {
            format!(
                "no read followed a version that its client had {}: record versions",
                self.promise
            )
        }))
    }

    /// Gives how many reads had something to live up to.
    fn check_session(&self, finding: &mut Finding, place: &str, told: &[Told<'_>]) -> u64 {
        let mut reads: Vec<&Told<'_>> = told.iter().filter(|t| t.1.1.ask == Ask::Read).collect();
        reads.sort_by_key(|(_, (number, read))| (read.begin_us, *number));
        let mut earlier: Vec<&Told<'_>> = told.iter().filter(|t| (self.earlier)(t.1.1)).collect();
        earlier.sort_by_key(|(_, (number, operation))| (operation.end_us, *number));
        let mut earlier = earlier.into_iter().peekable();
        let mut newest: Option<&Told<'_>> = None;
        let mut bound = 0;
        for read in reads {
            while let Some(next) = earlier.next_if(|e| e.1.1.is_before(read.1.1)) {
                newest = Some(match newest {
                    Some(old) if old.0 >= next.0 => old,
                    _ => next,
                });
            }
            finding.add("reads", 1);
            let Some(newest) = newest else { continue };
            bound += 1;
            if read.0 < newest.0 {
                finding.violation(|| Counterexample {
                    place: place.to_owned(),
                    expected: format!("version {} or later, {}", newest.0, self.promise),
                    seen: format!("version {}", read.0),
                    operations: vec![witness(&newest.1), witness(&read.1)],
                });
            }
        }
        bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Value;

    fn read(client: u32, begin_us: u64, version: u64) -> Operation {
        let read = Operation::begun(client, "k", begin_us, Ask::Read);
        read.ok(begin_us + 5, Value::Nothing).at_version(version)
    }

    fn write(client: u32, begin_us: u64, version: u64) -> Operation {
        let write = Operation::begun(client, "k", begin_us, Ask::Write(Value::Nothing));
        write.ok(begin_us + 5, Value::Nothing).at_version(version)
    }

    fn of(operations: impl IntoIterator<Item = Operation>) -> History {
        History::of(operations).unwrap()
    }

    #[test]
    fn a_version_that_goes_back_is_found_in_any_order_of_recording() {
        let verdict = monotonic_reads(&of([read(1, 20, 1), read(1, 10, 2), read(1, 0, 1)]));
        assert_eq!(verdict.count("reads"), 3);
        let shown: Vec<usize> = verdict.examples[0]
            .operations
            .iter()
            .map(|w| w.number)
            .collect();
        assert_eq!(shown, [2, 1]);
        assert_eq!(verdict.examples[0].seen, "version 1");
    }

    #[test]
    fn other_clients_and_reads_at_the_same_time_promise_nothing() {
        assert!(!monotonic_reads(&of([read(2, 0, 9), read(1, 10, 1)])).is_broken());
        // The first ends in the microsecond in which the other begins.
        assert!(!monotonic_reads(&of([read(1, 0, 9), read(1, 5, 1)])).is_broken());
        assert!(monotonic_reads(&of([read(1, 0, 9), read(1, 6, 1)])).is_broken());
        assert!(monotonic_reads(&of([read(1, 0, 1), read(1, 6, 1)])).held());
    }

    #[test]
    fn a_client_sees_its_own_writes() {
        assert!(read_your_writes(&of([write(1, 0, 2), read(1, 10, 1)])).is_broken());
        assert!(read_your_writes(&of([write(1, 0, 2), read(1, 10, 3)])).held());
        assert!(!read_your_writes(&of([write(2, 0, 2), read(1, 10, 1)])).is_broken());
        let doubtful = write(1, 0, 2).unknown(5);
        assert!(!read_your_writes(&of([doubtful, read(1, 10, 1)])).is_broken());
        // The newest binds, not the last.
        let both = [write(1, 0, 2), write(1, 10, 1), read(1, 20, 1)];
        assert!(read_your_writes(&of(both)).is_broken());
    }

    #[test]
    fn without_versions_nothing_is_proved() {
        let blind = Operation::begun(1, "k", 1, Ask::Read).ok(2, 5);
        let verdict = monotonic_reads(&of([blind]));
        assert_eq!(verdict.count("without_version"), 1);
        assert!(!verdict.held() && !verdict.is_broken());
    }
}
