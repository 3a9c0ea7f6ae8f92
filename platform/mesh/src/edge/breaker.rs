//! The circuit breaker. Opens on the error rate over a minimum volume in a sliding window; probes
//! are leased, so one that never comes back frees its place by itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Ctx, Steady, Timestamp};
use parking_lot::Mutex;
use serde::Serialize;

use crate::BreakerPolicy;

/// The window slides by a tenth of its length.
const SLICES: usize = 10;

/// A change of state, for the time axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    Opened { failed: u32, calls: u32 },
    HalfOpened,
    Closed,
    Reopened,
}

/// The breaker as the console sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BreakerView {
    /// `closed`, `open`, `half_open` or `off`.
    pub state: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// Calls in the window.
    pub calls: u32,
    /// Failed calls in the window.
    pub failed: u32,
    /// Milliseconds until the first probe, while it is open.
    pub opens_in_ms: u64,
}

/// The right to make one call. Hand it back with [`Breaker::record`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission {
    generation: u64,
    probe: Option<u64>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Badly,
    /// It was given up, or refused on our own side: says nothing about the callee.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Steady },
    HalfOpen,
}

#[derive(Clone, Copy, Default)]
struct Slice {
    number: i64,
    calls: u32,
    failed: u32,
}

struct Inner {
    state: State,
    since: Steady,
    /// Grows with each change of state: results of calls from before count no more.
    generation: u64,
    slices: [Slice; SLICES],
    leases: Vec<(u64, Steady)>,
    next_lease: u64,
    probes_well: u32,
}

pub(crate) struct Breaker {
    /// Spares calls the lock while the breaker is closed.
    closed: AtomicBool,
    generation: AtomicU64,
    inner: Mutex<Inner>,
}

impl Breaker {
    pub(crate) fn new(now: Steady) -> Self {
        let inner = Inner {
            state: State::Closed,
            since: now,
            generation: 0,
            slices: [Slice::default(); SLICES],
            leases: Vec::new(),
            next_lease: 0,
            probes_well: 0,
        };
        let (closed, generation) = (AtomicBool::new(true), AtomicU64::new(0));
        Self {
            closed,
            generation,
            inner: Mutex::new(inner),
        }
    }

    /// Asks to make a call. Refused with the milliseconds until it is worth asking again.
    pub(crate) fn admit(
        &self,
        policy: &BreakerPolicy,
        now: impl FnOnce() -> Steady,
    ) -> (Result<Admission, u64>, Option<Transition>) {
        if self.closed.load(Ordering::Acquire) {
            // If it opens right now, the result of this call is of an old generation: no harm.
            let generation = self.generation.load(Ordering::Relaxed);
            return (
                Ok(Admission {
                    generation,
                    probe: None,
                }),
                None,
            );
        }
        let now = now();
        let mut inner = self.inner.lock();
        let mut transition = None;
        if let State::Open { until } = inner.state {
            if now < until {
                let left = until.since(now).as_millis();
                return (Err(u64::try_from(left).unwrap_or(u64::MAX).max(1)), None);
            }
            self.enter(&mut inner, State::HalfOpen, now);
            transition = Some(Transition::HalfOpened);
        }
        if inner.state == State::Closed {
            return (
                Ok(Admission {
                    generation: inner.generation,
                    probe: None,
                }),
                None,
            );
        }
        inner.leases.retain(|(_, until)| *until > now);
        if inner.leases.len() >= policy.half_open_probes as usize {
            let next = inner
                .leases
                .iter()
                .map(|(_, until)| *until)
                .min()
                .unwrap_or(now);
            let left = u64::try_from(next.since(now).as_millis()).unwrap_or(u64::MAX);
            return (Err(left.clamp(1, policy.open_ms)), transition);
        }
        inner.next_lease += 1;
        let lease = inner.next_lease;
        inner.leases.push((
            lease,
            now.plus(Duration::from_millis(policy.probe_lease_ms)),
        ));
        (
            Ok(Admission {
                generation: inner.generation,
                probe: Some(lease),
            }),
            transition,
        )
    }

    /// Notes how an admitted call ended.
    pub(crate) fn record(
        &self,
        admission: Admission,
        ended: Ended,
        policy: &BreakerPolicy,
        now: Steady,
    ) -> Option<Transition> {
        let mut inner = self.inner.lock();
        if admission.generation != inner.generation {
            return None;
        }
        if let Some(lease) = admission.probe {
            let before = inner.leases.len();
            inner.leases.retain(|(l, _)| *l != lease);
            if inner.leases.len() == before {
                return None;
            }
        }
        match (inner.state, ended) {
            (_, Ended::Unknown) | (State::Open { .. }, _) => None,
            (State::Closed, _) => {
                let (calls, failed) = inner.count(policy, now, ended == Ended::Badly);
                let too_many = f64::from(failed) >= policy.error_rate * f64::from(calls);
                if ended == Ended::Well || calls < policy.min_volume || !too_many {
                    return None;
                }
                self.open(&mut inner, policy, now);
                Some(Transition::Opened { failed, calls })
            }
            (State::HalfOpen, Ended::Badly) => {
                self.open(&mut inner, policy, now);
                Some(Transition::Reopened)
            }
            (State::HalfOpen, Ended::Well) => {
                inner.probes_well += 1;
                if inner.probes_well < policy.half_open_probes {
                    return None;
                }
                self.enter(&mut inner, State::Closed, now);
                Some(Transition::Closed)
            }
        }
    }

    pub(crate) fn view(&self, policy: &BreakerPolicy, ctx: &Ctx) -> BreakerView {
        let (now, inner) = (ctx.steady(), self.inner.lock());
        let (calls, failed) = inner.sum(policy, now);
        let (state, opens_in) = match inner.state {
            _ if !policy.on => ("off", Duration::ZERO),
            State::Closed => ("closed", Duration::ZERO),
            State::Open { until } => ("open", until.since(now)),
            State::HalfOpen => ("half_open", Duration::ZERO),
        };
        let opens_in_ms = u64::try_from(opens_in.as_millis()).unwrap_or(u64::MAX);
        BreakerView {
            state,
            since: ctx.now().minus(now.since(inner.since)),
            calls,
            failed,
            opens_in_ms,
        }
    }

    fn open(&self, inner: &mut Inner, policy: &BreakerPolicy, now: Steady) {
        let until = now.plus(Duration::from_millis(policy.open_ms));
        self.enter(inner, State::Open { until }, now);
    }

    fn enter(&self, inner: &mut Inner, state: State, now: Steady) {
        inner.state = state;
        inner.since = now;
        inner.generation += 1;
        inner.leases.clear();
        inner.probes_well = 0;
        inner.slices = [Slice::default(); SLICES];
        self.generation.store(inner.generation, Ordering::Relaxed);
        self.closed.store(state == State::Closed, Ordering::Release);
    }
}

impl Inner {
    /// Counts one call and answers the sums of the window.
    fn count(&mut self, policy: &BreakerPolicy, now: Steady, failed: bool) -> (u32, u32) {
        let number = slice_number(policy, now);
        let at = usize::try_from(number.rem_euclid(SLICES as i64)).unwrap_or(0);
        let slice = &mut self.slices[at];
        if slice.number != number {
            *slice = Slice {
                number,
                ..Slice::default()
            };
        }
        slice.calls += 1;
        if !failed {
            return (0, 0);
        }
        slice.failed += 1;
        self.sum(policy, now)
    }

    fn sum(&self, policy: &BreakerPolicy, now: Steady) -> (u32, u32) {
        let oldest = slice_number(policy, now) - SLICES as i64;
        let live = self.slices.iter().filter(|s| s.number > oldest);
        live.fold((0, 0), |(calls, failed), s| {
            (calls + s.calls, failed + s.failed)
        })
    }
}

fn slice_number(policy: &BreakerPolicy, now: Steady) -> i64 {
    let slice_us = i64::try_from(policy.window_ms * 1_000).unwrap_or(i64::MAX) / SLICES as i64;
    now.micros() / slice_us.max(1)
}

#[cfg(test)]
mod tests;
