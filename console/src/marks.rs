//! The events of all processes on one time axis. The same change in three replicas is one mark.

use std::collections::{BTreeMap, VecDeque};

use kernel::Timestamp;
use serde::Serialize;
use telemetry::{Event, EventKind};

const MARKS_MAX: usize = 1_024;
/// The same event of several processes within this time is one mark.
const SAME_WITHIN_US: i64 = 3_000_000;

/// Something that happened, as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mark {
    /// Grows with each mark.
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) kind: EventKind,
    pub(crate) text: String,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The processes that said so.
    pub(crate) replicas: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Marks {
    marks: VecDeque<Mark>,
    /// By replica: its process, and the last event read of it.
    cursors: BTreeMap<String, (Option<u32>, u64)>,
    next: u64,
}

impl Marks {
    /// After which event to ask the process `pid` behind `replica` for more.
    pub(crate) fn cursor(&mut self, replica: &str, pid: Option<u32>) -> u64 {
        match self.cursors.get(replica) {
            Some((known, seq)) if *known == pid => *seq,
            _ => {
                self.cursors.insert(replica.to_owned(), (pid, 0));
                0
            }
        }
    }

    pub(crate) fn add(&mut self, replica: &str, events: Vec<Event>) {
        for event in events {
            let (_, seq) = self.cursors.entry(replica.to_owned()).or_default();
            *seq = event.seq;
            self.merge(replica, event);
        }
        while self.marks.len() > MARKS_MAX {
            self.marks.pop_front();
        }
    }

    fn merge(&mut self, replica: &str, event: Event) {
        let same = self.marks.iter_mut().rev().find(|mark| {
            mark.kind == event.kind
                && mark.text == event.text
                && (mark.at.micros() - event.at.micros()).abs() <= SAME_WITHIN_US
        });
        if let Some(mark) = same {
            let told = mark.replicas.iter().any(|r| r == replica);
            if !told {
                mark.replicas.push(replica.to_owned());
            }
            if !told || mark.at == event.at {
                return;
            }
        }
        self.next += 1;
        let after = self
            .marks
            .iter()
            .rposition(|m| m.at <= event.at)
            .map_or(0, |at| at + 1);
        let Event {
            at,
            kind,
            text,
            attributes,
            ..
        } = event;
        let replicas = vec![replica.to_owned()];
        let mark = Mark {
            id: self.next,
            at,
            kind,
            text,
            attributes,
            replicas,
        };
        self.marks.insert(after, mark);
    }

    /// Marks with an id above `after`, in the order of their time.
    pub(crate) fn since(&self, after: u64) -> Vec<Mark> {
        self.marks
            .iter()
            .filter(|m| m.id > after)
            .cloned()
            .collect()
    }

    /// The last mark within `seconds` before `at` that may be why something changed then.
    pub(crate) fn cause(&self, at: Timestamp, seconds: i64) -> Option<&Mark> {
        let from = at.micros() - seconds * 1_000_000;
        self.marks.iter().rev().find(|mark| {
            let may_cause = !matches!(mark.kind, EventKind::Note | EventKind::Breaker);
            may_cause && (from..=at.micros()).contains(&mark.at.micros())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, at: i64, text: &str) -> Event {
        let at = Timestamp::from_secs(at);
        let attributes = BTreeMap::new();
        Event {
            seq,
            at,
            kind: EventKind::Knob,
            text: text.to_owned(),
            attributes,
        }
    }

    #[test]
    fn the_same_change_in_three_replicas_is_one_mark() {
        let mut marks = Marks::default();
        let mut later = event(4, 10, "cache: aside -> none");
        later.at = Timestamp(later.at.micros() + 900);
        marks.add("links-1", vec![event(3, 10, "cache: aside -> none")]);
        marks.add("links-2", vec![later]);
        marks.add("links-1", vec![event(5, 60, "cache: aside -> none")]);
        let all = marks.since(0);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].replicas, ["links-1", "links-2"]);
        assert_eq!(
            (marks.cursor("links-1", None), marks.cursor("links-2", None)),
            (5, 4)
        );
        assert_eq!(
            marks.cursor("links-1", Some(7)),
            0,
            "another process counts anew"
        );
    }

    #[test]
    fn events_that_come_late_stand_where_they_belong() {
        let mut marks = Marks::default();
        marks.add("a", vec![event(1, 50, "second")]);
        marks.add("b", vec![event(1, 20, "first")]);
        let texts: Vec<String> = marks.since(0).into_iter().map(|m| m.text).collect();
        assert_eq!(texts, ["first", "second"]);
        assert_eq!(
            marks.cause(Timestamp::from_secs(55), 10).map(|m| &*m.text),
            Some("second")
        );
        assert_eq!(marks.cause(Timestamp::from_secs(90), 10), None);
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut marks = Marks::default();
        marks.add(
            "a",
            (0..3_000)
                .map(|n| event(n as u64, n, &n.to_string()))
                .collect(),
        );
        assert_eq!(marks.since(0).len(), MARKS_MAX);
        assert_eq!(marks.since(2_999).len(), 1);
    }
}
