//! What happened in each second of a run.

use hdrhistogram::Histogram;
use serde::Serialize;

/// One second of a run, by what happened in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Second {
    /// Which one, from zero.
    pub second: u64,
    /// Requests that were due.
    pub scheduled: u64,
    /// Requests that were sent.
    pub sent: u64,
    /// Answers that were read to their end.
    pub answered: u64,
    /// Answers below 400 that came within the deadline, if there is one.
    pub good: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Requests that found the queue full.
    pub queue_full: u64,
    /// Requests that waited for a connection when it ended.
    pub waiting: u64,
    /// Latency of what was answered in it, in milliseconds; zero without answers.
    pub p50_ms: f64,
    /// The same.
    pub p99_ms: f64,
    /// The same.
    pub max_ms: f64,
}

/// Seconds that are over, and the current one.
#[derive(Debug)]
pub(crate) struct Timeline {
    past: Vec<Second>,
    pub(crate) current: Second,
    latency: Histogram<u32>,
}

impl Timeline {
    pub(crate) fn new(latency: Histogram<u32>) -> Self {
        Self {
            past: Vec::new(),
            current: Second::default(),
            latency,
        }
    }

    /// Closes the seconds before `now`, in nanoseconds, in which `waiting` requests waited.
    pub(crate) fn roll(&mut self, now: u64, waiting: u64) {
        while self.current.second < now / 1_000_000_000 {
            let closed = self.closed(waiting);
            self.past.push(closed);
            self.latency.reset();
            self.current = Second {
                second: closed.second + 1,
                ..Second::default()
            };
        }
    }

    /// A latency in microseconds.
    pub(crate) fn record(&mut self, micros: u64) {
        self.latency.saturating_record(micros);
    }

    /// The last second that is over.
    pub(crate) fn last(&self) -> Option<Second> {
        self.past.last().copied()
    }

    /// Every second up to now; the last one if anything happened in it.
    pub(crate) fn all(&self, waiting: u64) -> Vec<Second> {
        let mut all = self.past.clone();
        let nothing = Second {
            second: self.current.second,
            ..Second::default()
        };
        if self.current != nothing || !self.latency.is_empty() || all.is_empty() {
            all.push(self.closed(waiting));
        }
        all
    }

    fn closed(&self, waiting: u64) -> Second {
        let ms = |micros: u64| micros as f64 / 1e3;
        Second {
            waiting,
            p50_ms: ms(self.latency.value_at_quantile(0.5)),
            p99_ms: ms(self.latency.value_at_quantile(0.99)),
            max_ms: ms(self.latency.max()),
            ..self.current
        }
    }
}
