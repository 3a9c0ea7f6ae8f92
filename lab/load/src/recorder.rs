//! Counts and histograms of a run. Every request ends in exactly one of them; moments are passed in.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::queue::Shot;
use crate::timeline::Timeline;

/// One hour, in microseconds; what takes longer counts as that.
const MICROS_MAX: u64 = 3_600_000_000;
/// 0.1 % of the value.
const DIGITS: u8 = 3;

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No connection could be made, so nothing was sent.
    Connect,
    /// No whole answer within the timeout.
    Timeout,
    /// The connection broke before the answer's end.
    Closed,
    /// The answer was not HTTP, or not the HTTP that was asked for.
    Protocol,
}

/// How many requests ended how.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) scheduled: u64,
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) queue_full: u64,
    pub(crate) left: u64,
    pub(crate) unfinished: u64,
    /// By [`Kind`].
    pub(crate) errors: [u64; 4],
    /// By the first digit of the status, from 1.
    pub(crate) statuses: [u64; 5],
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) opened: u64,
    /// Answered below 400, and in time.
    pub(crate) good: u64,
}

impl Counts {
    /// Requests that are due and neither sent nor given up.
    pub(crate) fn waiting(&self) -> u64 {
        let gone = self.sent + self.queue_full + self.left + self.errors[Kind::Connect as usize];
        self.scheduled.saturating_sub(gone)
    }

    /// Requests that are sent and have no end yet.
    pub(crate) fn in_flight(&self) -> u64 {
        let failed: u64 = self.errors.iter().sum::<u64>() - self.errors[Kind::Connect as usize];
        self.sent
            .saturating_sub(self.answered + failed + self.unfinished)
    }
}

/// What is known of a run so far.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) counts: Counts,
    /// From the scheduled moment, in microseconds, like the rest.
    pub(crate) latency: Histogram<u64>,
    /// From sending.
    pub(crate) service: Histogram<u64>,
    /// From the queue to a connection.
    pub(crate) wait: Histogram<u64>,
    /// How late the generator was itself.
    pub(crate) lag: Histogram<u64>,
    pub(crate) timeline: Timeline,
    /// The first error of each kind, in words.
    pub(crate) examples: [Option<String>; 4],
    /// The last moment at which a request ended.
    pub(crate) last_end: u64,
    /// An answer that is later than this, in nanoseconds, is not a good one.
    deadline: u64,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            counts: Counts::default(),
            latency: histogram(),
            service: histogram(),
            wait: histogram(),
            lag: histogram(),
            timeline: Timeline::new(histogram()),
            examples: [const { None }; 4],
            last_end: 0,
            deadline: u64::MAX,
        }
    }

    /// The same, where only what is answered within `deadline` is good.
    pub(crate) fn with_deadline(mut self, deadline: Option<Duration>) -> Self {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.deadline = deadline.map_or(u64::MAX, nanos);
        self
    }

    /// Closes the seconds before `now`.
    pub(crate) fn roll(&mut self, now: u64) {
        self.timeline.roll(now, self.counts.waiting());
    }

    /// A request that was due at `due` is seen to at `now`.
    pub(crate) fn scheduled(&mut self, now: u64, due: u64) {
        self.roll(now);
        self.counts.scheduled += 1;
        self.timeline.current.scheduled += 1;
        self.lag.saturating_record(micros(now, due));
    }

    /// The queue was full.
    pub(crate) fn queue_full(&mut self) {
        self.counts.queue_full += 1;
        self.timeline.current.queue_full += 1;
    }

    /// A request goes out, with so many bytes of content.
    pub(crate) fn sent(&mut self, now: u64, shot: Shot, bytes: u64) {
        self.roll(now);
        self.counts.sent += 1;
        self.counts.bytes_sent += bytes;
        self.timeline.current.sent += 1;
        self.wait.saturating_record(micros(now, shot.queued));
    }

    /// An answer was read to its end.
    pub(crate) fn answered(&mut self, now: u64, shot: Shot, answer: Answer) {
        self.ended(now);
        self.counts.answered += 1;
        self.timeline.current.answered += 1;
        self.counts.bytes_received += answer.bytes;
        let class = usize::from(answer.status / 100).clamp(1, 5);
        self.counts.statuses[class - 1] += 1;
        if answer.status < 400 && now.saturating_sub(shot.due) <= self.deadline {
            self.counts.good += 1;
            self.timeline.current.good += 1;
        }
        self.waited(now, shot);
        self.service.saturating_record(micros(now, answer.sent));
    }

    /// A request failed. One that timed out has waited, and its wait counts; others say nothing of
    /// latency, because a server that refuses at once would look fast.
    pub(crate) fn failed(&mut self, now: u64, shot: Shot, kind: Kind, why: &str) {
        self.ended(now);
        self.counts.errors[kind as usize] += 1;
        self.timeline.current.errors += 1;
        self.examples[kind as usize].get_or_insert_with(|| why.to_owned());
        if kind == Kind::Timeout {
            self.waited(now, shot);
        }
    }

    /// A request still waits for a connection when the run ends. So long it has waited at least.
    pub(crate) fn left(&mut self, now: u64, shot: Shot) {
        self.roll(now);
        self.counts.left += 1;
        self.waited(now, shot);
    }

    /// A request that was sent has no end when the run ends. So long it has waited at least.
    pub(crate) fn unfinished(&mut self, now: u64, shot: Shot) {
        self.roll(now);
        self.counts.unfinished += 1;
        self.timeline.current.errors += 1;
        self.waited(now, shot);
    }

    fn ended(&mut self, now: u64) {
        self.roll(now);
        self.last_end = self.last_end.max(now);
    }

    fn waited(&mut self, now: u64, shot: Shot) {
        let latency = micros(now, shot.due);
        self.latency.saturating_record(latency);
        self.timeline.record(latency);
    }
}

/// What an answer was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The length of its content.
    pub(crate) bytes: u64,
    /// When its request was sent.
    pub(crate) sent: u64,
}

fn micros(now: u64, since: u64) -> u64 {
    now.saturating_sub(since) / 1_000
}

fn histogram<C: hdrhistogram::Counter>() -> Histogram<C> {
    Histogram::new_with_bounds(1, MICROS_MAX, DIGITS).expect("the bounds are constants in range")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn shot(due: u64) -> Shot {
        Shot {
            due,
            queued: due,
            target: 0,
        }
    }

    #[test]
    fn latency_counts_from_the_schedule_and_service_time_from_sending() {
        let mut recorder = Recorder::new();
        recorder.scheduled(0, 0);
        recorder.sent(100 * MS, shot(0), 5);
        let answer = Answer {
            status: 200,
            bytes: 7,
            sent: 100 * MS,
        };
        recorder.answered(101 * MS, shot(0), answer);
        assert_eq!(recorder.latency.max() / 1_000, 101);
        assert_eq!(recorder.service.max() / 1_000, 1);
        assert_eq!(recorder.wait.max() / 1_000, 100);
        assert_eq!(
            (recorder.counts.bytes_sent, recorder.counts.bytes_received),
            (5, 7)
        );
    }

    #[test]
    fn a_timeout_counts_as_latency_and_a_refusal_does_not() {
        let mut recorder = Recorder::new();
        recorder.failed(500 * MS, shot(0), Kind::Timeout, "slow");
        recorder.failed(600 * MS, shot(0), Kind::Connect, "refused");
        recorder.failed(600 * MS, shot(0), Kind::Connect, "another");
        assert_eq!(recorder.latency.len(), 1);
        assert_eq!(
            recorder.examples[Kind::Connect as usize].as_deref(),
            Some("refused")
        );
    }

    #[test]
    fn only_what_is_answered_well_and_in_time_is_good() {
        let mut recorder = Recorder::new().with_deadline(Some(Duration::from_millis(50)));
        let answers = [(200, 10), (302, 50), (302, 51), (404, 10), (503, 1)];
        for (status, ms) in answers {
            let answer = Answer {
                status,
                bytes: 0,
                sent: 0,
            };
            recorder.answered(ms * MS, shot(0), answer);
        }
        assert_eq!((recorder.counts.answered, recorder.counts.good), (5, 2));
        assert_eq!(recorder.timeline.all(0)[0].good, 2);
    }

    #[test]
    fn what_waits_and_what_is_in_flight_is_told_apart() {
        let mut recorder = Recorder::new();
        for _ in 0..5 {
            recorder.scheduled(0, 0);
        }
        recorder.queue_full();
        recorder.sent(1, shot(0), 0);
        recorder.sent(1, shot(0), 0);
        recorder.failed(2, shot(0), Kind::Connect, "refused");
        recorder.failed(2, shot(0), Kind::Closed, "reset");
        assert_eq!(
            (recorder.counts.waiting(), recorder.counts.in_flight()),
            (1, 1)
        );
        recorder.left(3, shot(0));
        assert_eq!(recorder.counts.waiting(), 0);
    }

    #[test]
    fn seconds_without_anything_are_in_the_timeline() {
        let mut recorder = Recorder::new();
        recorder.scheduled(0, 0);
        recorder.scheduled(3_500 * MS, 3_500 * MS);
        let seconds = recorder.timeline.all(0);
        let scheduled: Vec<u64> = seconds.iter().map(|second| second.scheduled).collect();
        assert_eq!(scheduled, [1, 0, 0, 1]);
        recorder.roll(4_000 * MS);
        assert_eq!(
            recorder.timeline.all(0).len(),
            4,
            "nothing came in the fifth"
        );
        assert_eq!(seconds[1].waiting, 1, "the first one still waits");
    }
}
