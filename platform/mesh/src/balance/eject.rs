//! Ejection: when an endpoint is out, for how long, and in which words that is explained.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use kernel::Steady;

use super::slot::{Record, Slot};
use super::{BalancerConfig, Shared};

/// The state of an endpoint's ejection.
#[derive(Debug, Default)]
pub(super) struct Ejection {
    /// Why it should be out; set by whoever saw the failures.
    due: Option<String>,
    /// Why it is out, and until when.
    out: Option<(String, Steady)>,
    /// How often it has been out lately: each doubles the next.
    times: u32,
    /// When it last came back.
    back: Steady,
}

impl Ejection {
    pub(super) fn is_out(&self, now: Steady) -> bool {
        self.out.as_ref().is_some_and(|(_, until)| now < *until)
    }

    pub(super) const fn is_due(&self) -> bool {
        self.due.is_some()
    }

    pub(super) fn ask(&mut self, cause: String) {
        self.due = Some(cause);
    }

    pub(super) fn until(&self) -> Option<Steady> {
        self.out.as_ref().map(|(_, until)| *until)
    }

    pub(super) fn cause(&self) -> Option<&str> {
        self.out.as_ref().map(|(cause, _)| cause.as_str())
    }

    /// Lets it back in when its time has come. Answers whether it came back now.
    fn return_if_over(&mut self, now: Steady) -> bool {
        let over = self.out.as_ref().is_some_and(|(_, until)| now >= *until);
        if over {
            self.out = None;
            self.back = now;
        }
        over
    }

    fn put_out(&mut self, config: &BalancerConfig, now: Steady) {
        let Some(cause) = self.due.take() else { return };
        // As long as it behaved well, so much of its past is forgotten.
        let well = now.since(self.back).as_secs_f64() / config.eject_base.as_secs_f64().max(1e-9);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates"
        )]
        let forgiven = (well / 10.0) as u32;
        self.times = self.times.saturating_sub(forgiven);
        let factor = 1_u32.checked_shl(self.times).unwrap_or(u32::MAX);
        let length = config
            .eject_base
            .saturating_mul(factor)
            .min(config.eject_max);
        self.times = self.times.saturating_add(1).min(16);
        self.out = Some((cause, now.plus(length)));
    }

    fn refuse(&mut self) {
        self.due = None;
    }
}

impl Shared {
    /// Decides who is in rotation. Called only when something has changed: never per request.
    pub(super) fn rotate(&self, slots: &[Arc<Slot>], now: Steady) {
        let _one_at_a_time = self.endpoints.lock();
        self.rotate_locked(slots, now);
    }

    pub(super) fn rotate_locked(&self, slots: &[Arc<Slot>], now: Steady) {
        let heeds = self.choices.heeds();
        self.heeded.store(heeds.bits(), Relaxed);
        let mut records: Vec<_> = slots.iter().map(|slot| slot.record.lock()).collect();
        for (slot, record) in slots.iter().zip(&mut records) {
            if !heeds.failures {
                slot.pardon(record, now);
            }
            if record.ejection.return_if_over(now) {
                slot.forgive(now);
            }
        }
        let is_well = |r: &Record| !heeds.health || r.health.is_none();
        let is_in = |r: &Record| is_well(r) && !r.ejection.is_out(now);
        let mut in_rotation = records.iter().filter(|r| is_in(r)).count();
        let keep = slots.len().div_ceil(2);
        for (slot, record) in slots.iter().zip(&mut records) {
            if !record.ejection.is_due() {
                continue;
            }
            if in_rotation <= keep || !is_in(record) {
                // Half must stay. It is asked again when it goes on failing.
                record.ejection.refuse();
                slot.forgive(now);
                continue;
            }
            record.ejection.put_out(&self.config, now);
            in_rotation -= 1;
        }
        // When health checks would leave nothing, they are not believed: all are in.
        let all = in_rotation == 0;
        for (slot, record) in slots.iter().zip(&records) {
            slot.in_rotation.store(all || is_in(record), Relaxed);
        }
        let next = records.iter().filter_map(|r| r.ejection.until()).min();
        self.recheck
            .store(next.map_or(i64::MAX, Steady::micros), Relaxed);
    }
}

/// "2.5 s", "310 ms".
pub(super) fn in_words(time: Duration) -> String {
    if time >= Duration::from_secs(1) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} ms", time.as_millis())
    }
}
