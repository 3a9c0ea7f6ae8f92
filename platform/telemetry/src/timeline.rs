//! What happened when: one bounded list of typed events, so that "why was it slow" has an answer.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use kernel::{Clock, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How many events are kept; the oldest goes first.
pub const EVENTS_MAX: usize = 1_024;
const ATTRIBUTES_MAX: usize = 16;
const TEXT_BYTES_MAX: usize = 512;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A design choice was switched.
    Knob,
    /// The policy of an edge was changed.
    Policy,
    /// A fault was injected or ended.
    Fault,
    /// A circuit breaker opened, half opened or closed.
    Breaker,
    /// A replica was taken out of rotation or let in again.
    Rotation,
    /// A process started.
    Start,
    /// A process ended and was started again.
    Restart,
    /// A process was asked to end.
    Stop,
    /// Load began or ended.
    Load,
    /// Anything else worth a mark.
    Note,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in this process, from 1.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of thing it is.
    pub kind: EventKind,
    /// A few plain words: `cache policy: aside -> none`.
    pub text: String,
    /// More about it: `service`, `knob`, `until`, ...
    pub attributes: BTreeMap<String, String>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    events: Mutex<VecDeque<Event>>,
    latest: watch::Sender<u64>,
}

/// The events of a process. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Timeline(Arc<Inner>);

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline")
            .field("events", &self.0.events.lock().len())
            .finish()
    }
}

impl Timeline {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (latest, _) = watch::channel(0);
        Self(Arc::new(Inner {
            clock,
            events: Mutex::default(),
            latest,
        }))
    }

    /// Notes that something happened now. Answers the event's number.
    pub fn record(
        &self,
        kind: EventKind,
        text: impl Into<String>,
        attributes: &[(&str, &str)],
    ) -> u64 {
        let attributes = attributes
            .iter()
            .take(ATTRIBUTES_MAX)
            .map(|(name, value)| (shortened(name), shortened(value)))
            .collect();
        let text = shortened(&text.into());
        let mut events = self.0.events.lock();
        let seq = *self.0.latest.borrow() + 1;
        if events.len() == EVENTS_MAX {
            events.pop_front();
        }
        events.push_back(Event {
            seq,
            at: self.0.clock.now(),
            kind,
            text,
            attributes,
        });
        self.0.latest.send_replace(seq);
        seq
    }

    /// The events after number `after` (0 for all that are kept), oldest first.
    #[must_use]
    pub fn since(&self, after: u64) -> Vec<Event> {
        self.0
            .events
            .lock()
            .iter()
            .filter(|e| e.seq > after)
            .cloned()
            .collect()
    }

    /// Tells the number of the newest event, each time that there is one.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.latest.subscribe()
    }
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use kernel::ManualClock;

    use super::*;

    #[test]
    fn events_are_kept_in_order_and_the_oldest_go_first() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1)));
        let timeline = Timeline::new(clock.clone());
        let watch = timeline.subscribe();
        timeline.record(EventKind::Start, "started", &[]);
        clock.set(Timestamp::from_secs(2));
        timeline.record(
            EventKind::Knob,
            "cache: aside -> none",
            &[("service", "links")],
        );
        let events = timeline.since(1);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].at, Timestamp::from_secs(2));
        assert_eq!(events[0].attributes["service"], "links");
        assert_eq!(*watch.borrow(), 2);
        for _ in 0..EVENTS_MAX {
            timeline.record(EventKind::Note, "x".repeat(2_000), &[]);
        }
        let events = timeline.since(0);
        assert_eq!((events.len(), events[0].seq), (EVENTS_MAX, 3));
        assert_eq!(events[0].text.len(), TEXT_BYTES_MAX);
    }

    #[test]
    fn an_event_reads_as_plain_json() {
        let timeline = Timeline::new(Arc::new(ManualClock::at(Timestamp(5))));
        timeline.record(
            EventKind::Breaker,
            "gateway to links: open",
            &[("callee", "links")],
        );
        let json = serde_json::to_string(&timeline.since(0)[0]).expect("plain data");
        assert_eq!(
            json,
            r#"{"seq":1,"at":5,"kind":"breaker","text":"gateway to links: open","attributes":{"callee":"links"}}"#
        );
    }
}
