//! One endpoint as the balancer sees it: load, latency, penalty, and its record of failures.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use kernel::Steady;
use parking_lot::Mutex;

use super::eject::Ejection;
use super::{BalancerConfig, Health};
use crate::discovery::Endpoint;

/// How many failures are kept to explain an ejection.
const SAMPLES: usize = 5;
/// What is assumed of an endpoint that has answered nothing yet.
const UNKNOWN_US: f64 = 1_000.0;

/// What became of a request at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, be it with a "no" to the request itself.
    Ok,
    /// 429 or 503: it wants to be left alone, perhaps for a stated time.
    Overloaded {
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Another 5xx.
    ServerError,
    /// No connection came about.
    ConnectFailed,
    /// The connection broke before the answer was complete.
    Reset,
    /// No answer in time.
    Timeout,
}

impl Outcome {
    const fn is_failure(self) -> bool {
        !matches!(self, Self::Ok)
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Ok => "answered",
            Self::Overloaded { .. } => "said it is overloaded",
            Self::ServerError => "answered with a server error",
            Self::ConnectFailed => "could not be connected to",
            Self::Reset => "broke the connection",
            Self::Timeout => "did not answer in time",
        }
    }
}

/// Whether an endpoint is new to a running system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It was there when the balancer was made.
    Known,
    /// It came later and starts slowly.
    New,
}

/// One failure, for the explanation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: Steady,
    pub(super) outcome: Outcome,
    pub(super) latency: Duration,
}

#[derive(Default)]
pub(super) struct Record {
    pub(super) samples: VecDeque<Sample>,
    pub(super) ejection: Ejection,
    pub(super) health: Option<String>,
    pub(super) health_since: Steady,
}

pub(super) struct Slot {
    pub(super) endpoint: Endpoint,
    pub(super) since: Steady,
    age: Age,
    in_flight: AtomicU32,
    /// Microseconds, as the bits of an `f64`; with `touched` it decays towards zero, so that an
    /// endpoint that was slow is tried again. A reader between the two stores sees a latency that
    /// is slightly too old or too new, never a torn one.
    latency: AtomicU64,
    touched: AtomicI64,
    penalty: AtomicU64,
    /// The penalty stands still until this moment, then decays.
    penalty_until: AtomicI64,
    failures_in_a_row: AtomicU32,
    window: AtomicI64,
    window_requests: AtomicU32,
    window_failures: AtomicU32,
    pub(super) in_rotation: AtomicBool,
    pub(super) record: Mutex<Record>,
}

impl Slot {
    pub(super) fn new(endpoint: Endpoint, age: Age, now: Steady) -> Self {
        Self {
            endpoint,
            since: now,
            age,
            in_flight: AtomicU32::new(0),
            latency: AtomicU64::new(UNKNOWN_US.to_bits()),
            touched: AtomicI64::new(now.micros()),
            penalty: AtomicU64::new(0_f64.to_bits()),
            penalty_until: AtomicI64::new(0),
            failures_in_a_row: AtomicU32::new(0),
            window: AtomicI64::new(now.micros()),
            window_requests: AtomicU32::new(0),
            window_failures: AtomicU32::new(0),
            in_rotation: AtomicBool::new(true),
            record: Mutex::default(),
        }
    }

    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(super) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// The mean latency; it fades while nothing is sent there.
    pub(super) fn latency_us(&self, config: &BalancerConfig, now: Steady) -> f64 {
        let latency = f64::from_bits(self.latency.load(Relaxed));
        latency * decay(self.touched.load(Relaxed), now, config.decay)
    }

    pub(super) fn penalty_us(&self, config: &BalancerConfig, now: Steady) -> f64 {
        let penalty = f64::from_bits(self.penalty.load(Relaxed));
        if penalty == 0.0 {
            return 0.0;
        }
        penalty * decay(self.penalty_until.load(Relaxed), now, config.penalty_decay)
    }

    /// From a tenth (just arrived) to 1.
    pub(super) fn ramp(&self, config: &BalancerConfig, now: Steady) -> f64 {
        if self.age == Age::Known || config.slow_start.is_zero() {
            return 1.0;
        }
        let share = now.since(self.since).as_secs_f64() / config.slow_start.as_secs_f64();
        share.clamp(0.1, 1.0)
    }

    /// What one more request here would cost; the penalty counts too.
    pub(super) fn cost(&self, config: &BalancerConfig, now: Steady) -> f64 {
        let queue = f64::from(self.in_flight()) + 1.0;
        let latency = self.latency_us(config, now).max(1.0) * queue;
        let share = f64::from(self.endpoint.weight.max(1)) * self.ramp(config, now);
        latency.max(self.penalty_us(config, now)) / share
    }

    /// Requests in flight relative to its share; a failing endpoint counts as crowded.
    pub(super) fn crowd(&self, config: &BalancerConfig, now: Steady) -> f64 {
        let share = f64::from(self.endpoint.weight.max(1)) * self.ramp(config, now);
        // A fresh penalty of a second weighs like a hundred requests in flight.
        let penalty = self.penalty_us(config, now) / 10_000.0;
        (f64::from(self.in_flight()) + 1.0 + penalty) / share
    }

    /// Notes what became of a request. Answers whether the rotation must be looked at.
    pub(super) fn record(
        &self,
        outcome: Outcome,
        latency: Duration,
        config: &BalancerConfig,
        now: Steady,
    ) -> bool {
        self.count(outcome, config, now);
        if !outcome.is_failure() {
            self.learn(latency, config, now);
            if self.failures_in_a_row.load(Relaxed) != 0 {
                self.failures_in_a_row.store(0, Relaxed);
            }
            return false;
        }
        self.punish(outcome, config, now);
        let weight = if outcome == Outcome::ConnectFailed {
            2
        } else {
            1
        };
        let in_a_row = self.failures_in_a_row.fetch_add(weight, Relaxed) + weight;
        let mut record = self.record.lock();
        if record.samples.len() == SAMPLES {
            record.samples.pop_front();
        }
        record.samples.push_back(Sample {
            at: now,
            outcome,
            latency,
        });
        if record.ejection.is_out(now) || record.ejection.is_due() {
            return false;
        }
        let cause = self.cause(in_a_row, config);
        if let Some(cause) = cause {
            record.ejection.ask(cause);
            return true;
        }
        false
    }

    /// What speaks for an ejection, in words.
    fn cause(&self, in_a_row: u32, config: &BalancerConfig) -> Option<String> {
        if in_a_row >= config.failures_in_a_row {
            return Some("its last requests all failed".to_owned());
        }
        let requests = self.window_requests.load(Relaxed);
        let failures = self.window_failures.load(Relaxed);
        let too_many = f64::from(failures) >= config.failure_rate * f64::from(requests);
        (requests >= config.failure_volume && too_many)
            .then(|| format!("{failures} of its last {requests} requests failed"))
    }

    /// After an ejection it starts with a clean sheet.
    pub(super) fn forgive(&self, now: Steady) {
        self.failures_in_a_row.store(0, Relaxed);
        self.window.store(now.micros(), Relaxed);
        self.window_requests.store(0, Relaxed);
        self.window_failures.store(0, Relaxed);
    }

    /// As if it had never failed.
    pub(super) fn pardon(&self, record: &mut Record, now: Steady) {
        self.forgive(now);
        self.penalty.store(0_f64.to_bits(), Relaxed);
        self.penalty_until.store(0, Relaxed);
        record.ejection = Ejection::default();
        record.samples.clear();
    }

    /// Notes a health check. Answers whether it changed anything.
    pub(super) fn mark(&self, health: Health, now: Steady) -> bool {
        let mut record = self.record.lock();
        let next = match health {
            Health::Healthy => None,
            Health::Unhealthy(why) => Some(why),
        };
        let changed = record.health.is_some() != next.is_some();
        if changed {
            record.health_since = now;
        }
        record.health = next;
        changed
    }

    fn count(&self, outcome: Outcome, config: &BalancerConfig, now: Steady) {
        let start = self.window.load(Relaxed);
        let length = i64::try_from(config.eject_window.as_micros()).unwrap_or(i64::MAX);
        if now.micros().saturating_sub(start) >= length
            && self
                .window
                .compare_exchange(start, now.micros(), Relaxed, Relaxed)
                .is_ok()
        {
            self.window_requests.store(0, Relaxed);
            self.window_failures.store(0, Relaxed);
        }
        self.window_requests.fetch_add(1, Relaxed);
        if outcome.is_failure() {
            self.window_failures.fetch_add(1, Relaxed);
        }
    }

    /// A moving mean: what was known fades with time, and each answer counts a tenth at least.
    pub(super) fn learn(&self, latency: Duration, config: &BalancerConfig, now: Steady) {
        let sample = latency.as_secs_f64() * 1e6;
        let before = f64::from_bits(self.latency.load(Relaxed));
        let kept = decay(self.touched.load(Relaxed), now, config.decay).min(0.9);
        let next = before.mul_add(kept, sample * (1.0 - kept));
        self.latency.store(next.to_bits(), Relaxed);
        self.touched.store(now.micros(), Relaxed);
        // A good answer halves what is left of a penalty.
        let penalty = f64::from_bits(self.penalty.load(Relaxed));
        if penalty != 0.0 {
            let left = self.penalty_us(config, now) / 2.0;
            let left = if left < 1.0 { 0.0 } else { left };
            self.penalty.store(left.to_bits(), Relaxed);
            self.penalty_until.store(now.micros(), Relaxed);
        }
    }

    fn punish(&self, outcome: Outcome, config: &BalancerConfig, now: Steady) {
        let asked = match outcome {
            Outcome::Overloaded { retry_after } => retry_after.unwrap_or(Duration::ZERO),
            _ => Duration::ZERO,
        };
        let until = now.plus(asked.min(config.eject_max)).micros();
        let penalty = config.penalty.as_secs_f64() * 1e6;
        self.penalty.store(penalty.to_bits(), Relaxed);
        self.penalty_until.fetch_max(until, Relaxed);
    }
}

/// What is left of 1 after the time since `from`.
fn decay(from: i64, now: Steady, over: Duration) -> f64 {
    let passed = now.since(Steady(from));
    if passed.is_zero() {
        return 1.0;
    }
    (-passed.as_secs_f64() / over.as_secs_f64().max(1e-9)).exp()
}
