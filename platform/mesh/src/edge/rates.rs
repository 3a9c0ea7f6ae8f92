//! Calls, failures and latencies of the last seconds, for the live map. Written without a lock; a
//! call that ends while its slot is being reused may be lost from the picture, never from a metric.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use kernel::Timestamp;
use serde::Serialize;

/// The picture is of the last ten whole seconds.
const SECONDS: usize = 10;
/// One slot is being filled, and one leaves the picture.
const SLOTS: usize = SECONDS + 2;

/// Calls, errors and latencies of the last seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct EdgeRates {
    /// Calls per second.
    pub calls_per_s: f64,
    /// Calls per second that failed through the callee's or the way's fault.
    pub errors_per_s: f64,
    /// The mean latency in milliseconds.
    pub mean_ms: f64,
    /// The largest latency in milliseconds.
    pub max_ms: f64,
}

#[derive(Default)]
struct Slot {
    second: AtomicI64,
    calls: AtomicU32,
    errors: AtomicU32,
    micros: AtomicU64,
    micros_max: AtomicU64,
}

#[derive(Default)]
pub(crate) struct Rates([Slot; SLOTS]);

impl Rates {
    pub(crate) fn record(&self, now: Timestamp, took: Duration, failed: bool) {
        let second = now.secs();
        let slot = &self.0[usize::try_from(second.rem_euclid(SLOTS as i64)).unwrap_or(0)];
        if slot.second.load(Relaxed) != second && slot.second.swap(second, Relaxed) != second {
            slot.calls.store(0, Relaxed);
            slot.errors.store(0, Relaxed);
            slot.micros.store(0, Relaxed);
            slot.micros_max.store(0, Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        slot.calls.fetch_add(1, Relaxed);
        slot.micros.fetch_add(micros, Relaxed);
        if failed {
            slot.errors.fetch_add(1, Relaxed);
        }
        if micros > slot.micros_max.load(Relaxed) {
            slot.micros_max.fetch_max(micros, Relaxed);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a picture, not an account")]
    pub(crate) fn view(&self, now: Timestamp) -> EdgeRates {
        let last = now.secs() - 1;
        let first = last - SECONDS as i64 + 1;
        let (mut calls, mut errors, mut micros, mut micros_max) = (0_u64, 0_u64, 0_u64, 0_u64);
        for slot in &self.0 {
            if (first..=last).contains(&slot.second.load(Relaxed)) {
                calls += u64::from(slot.calls.load(Relaxed));
                errors += u64::from(slot.errors.load(Relaxed));
                micros += slot.micros.load(Relaxed);
                micros_max = micros_max.max(slot.micros_max.load(Relaxed));
            }
        }
        EdgeRates {
            calls_per_s: calls as f64 / SECONDS as f64,
            errors_per_s: errors as f64 / SECONDS as f64,
            mean_ms: micros as f64 / calls.max(1) as f64 / 1_000.0,
            max_ms: micros_max as f64 / 1_000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_of_the_last_ten_whole_seconds() {
        let rates = Rates::default();
        for second in 100..120 {
            let now = Timestamp::from_secs(second);
            rates.record(now, Duration::from_millis(4), second % 2 == 0);
            rates.record(now, Duration::from_millis(2), false);
        }
        let view = rates.view(Timestamp::from_secs(120));
        assert_eq!((view.calls_per_s, view.errors_per_s), (2.0, 0.5));
        assert_eq!((view.mean_ms, view.max_ms), (3.0, 4.0));
        assert_eq!(rates.view(Timestamp::from_secs(500)), EdgeRates::default());
    }
}
