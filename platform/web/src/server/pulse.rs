//! Signs of life of one connection, written by its socket and its requests, read by one timer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::ServerLimits;

/// Signs of life. Writing one costs a nanosecond or two; nothing is timed here.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Requests in flight in the low half, starts and ends counted in the high half.
    requests: AtomicU64,
    /// Bytes came since the last request ended.
    heard: AtomicBool,
    /// A write waits for the client.
    write_waits: AtomicBool,
    /// Counts writes that went through.
    writes: AtomicU64,
}

const ONE_TURN: u64 = 1 << 32;

impl Pulse {
    pub(super) fn request_starts(&self) {
        self.requests.fetch_add(ONE_TURN + 1, Ordering::Relaxed);
    }

    pub(super) fn request_ends(&self) {
        self.requests.fetch_add(ONE_TURN - 1, Ordering::Relaxed);
        self.heard.store(false, Ordering::Relaxed);
    }

    pub(super) fn read(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self) {
        // One writer per connection: a load and a store are enough, and cheaper than an addition.
        self.writes
            .store(self.writes.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.write_waits.store(false, Ordering::Relaxed);
    }

    pub(super) fn write_waits(&self) {
        self.write_waits.store(true, Ordering::Relaxed);
    }
}

/// What a look at a connection says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All is well.
    Live,
    /// Nothing has been asked for long: say goodbye.
    Idle,
    /// The client is too slow: hang up.
    Slow,
}

/// Looks at the signs of life now and then.
#[derive(Debug)]
pub(super) struct Watch {
    requests: u64,
    requests_since: Instant,
    heard_since: Option<Instant>,
    writes: u64,
    writes_since: Instant,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            requests: 0,
            requests_since: now,
            heard_since: None,
            writes: 0,
            writes_since: now,
        }
    }

    /// What `pulse` says at `now`. `framed`: a half-sent head can be told from silence (HTTP/1.1).
    pub(super) fn look(
        &mut self,
        pulse: &Pulse,
        now: Instant,
        limits: &ServerLimits,
        framed: Framing,
    ) -> Verdict {
        let long = |since: Instant, limit: Duration| now.duration_since(since) >= limit;
        let writes = pulse.writes.load(Ordering::Relaxed);
        let waits = pulse.write_waits.load(Ordering::Relaxed);
        if writes != self.writes || !waits {
            (self.writes, self.writes_since) = (writes, now);
        }
        if long(self.writes_since, limits.write_timeout()) {
            return Verdict::Slow;
        }
        let requests = pulse.requests.load(Ordering::Relaxed);
        if requests != self.requests || !requests.is_multiple_of(ONE_TURN) {
            (self.requests, self.requests_since, self.heard_since) = (requests, now, None);
            return Verdict::Live;
        }
        if framed == Framing::Http1 && pulse.heard.load(Ordering::Relaxed) {
            let since = *self.heard_since.get_or_insert(now);
            if long(since, limits.header_timeout()) {
                return Verdict::Slow;
            }
        }
        if long(self.requests_since, limits.idle_timeout()) {
            Verdict::Idle
        } else {
            Verdict::Live
        }
    }
}

/// How requests are told apart on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// One after the other.
    Http1,
    /// Many at once; bytes may come without a request (pings, window updates).
    Http2,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ServerLimits {
        ServerLimits {
            header_timeout_ms: 100,
            idle_timeout_ms: 1_000,
            write_timeout_ms: 300,
            ..ServerLimits::default()
        }
    }

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn half_a_head_is_slow_and_silence_is_idle() {
        let (start, pulse) = (Instant::now(), Pulse::default());
        let mut watch = Watch::new(start);
        let mut look =
            |ms, pulse: &Pulse| watch.look(pulse, after(start, ms), &limits(), Framing::Http1);
        assert_eq!(look(900, &pulse), Verdict::Live);
        assert_eq!(look(1_000, &pulse), Verdict::Idle);
        pulse.read();
        pulse.request_starts();
        assert_eq!(
            look(9_000, &pulse),
            Verdict::Live,
            "a handler may take its time"
        );
        pulse.request_ends();
        assert_eq!(look(9_100, &pulse), Verdict::Live);
        pulse.read();
        assert_eq!(look(9_200, &pulse), Verdict::Live);
        assert_eq!(look(9_300, &pulse), Verdict::Slow);
    }

    #[test]
    fn a_client_that_takes_nothing_is_slow() {
        let (start, pulse) = (Instant::now(), Pulse::default());
        let mut watch = Watch::new(start);
        let mut look =
            |ms, pulse: &Pulse| watch.look(pulse, after(start, ms), &limits(), Framing::Http2);
        pulse.request_starts();
        pulse.write_waits();
        assert_eq!(look(200, &pulse), Verdict::Live);
        pulse.wrote();
        pulse.write_waits();
        assert_eq!(look(400, &pulse), Verdict::Live, "it took something");
        assert_eq!(look(700, &pulse), Verdict::Slow);
    }

    #[test]
    fn bytes_without_a_request_are_fine_on_http2() {
        let (start, pulse) = (Instant::now(), Pulse::default());
        let mut watch = Watch::new(start);
        pulse.read();
        for ms in [0, 300, 900] {
            let verdict = watch.look(&pulse, after(start, ms), &limits(), Framing::Http2);
            assert_eq!(verdict, Verdict::Live);
        }
    }
}
