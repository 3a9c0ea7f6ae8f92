//! Puts requests into the queues at their moments, whatever has become of those before.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use kernel::SeededRandom;

use crate::arrivals::Arrivals;
use crate::handle::Shared;
use crate::keys::Keys;
use crate::lane::Pool;
use crate::plan::Plan;
use crate::queue::Shot;
use crate::timer::Timer;

/// How many requests are put into queues before the connections get a turn.
const BATCH_MAX: usize = 256;
/// From this rate on, requests that are due within [`GRAIN`] of each other leave together.
const CROWD: f64 = 5_000.0;
/// Setting a timer costs some microseconds of CPU on a virtual machine, which a high rate cannot
/// pay for each request; in return they are late by up to this.
const GRAIN: Duration = Duration::from_micros(100);
/// Parts the sequence of keys from the one of arrivals, which have the same seed.
const KEYS: u64 = 0x6B65_7973;

/// The schedule, at work.
pub(crate) struct Dispatcher {
    shared: Arc<Shared>,
    pools: Vec<Arc<Pool>>,
    /// For each target, which pool it belongs to.
    pool_of: Vec<u16>,
    arrivals: Arrivals,
    keys: Keys,
    random: SeededRandom,
    timer: Timer,
    end: Duration,
    left: u64,
}

impl Dispatcher {
    pub(crate) fn new(
        plan: &Plan,
        shared: Arc<Shared>,
        pools: Vec<Arc<Pool>>,
        pool_of: Vec<u16>,
    ) -> io::Result<Self> {
        Ok(Self {
            shared,
            pools,
            pool_of,
            arrivals: Arrivals::new(plan.profile.clone(), plan.process, plan.seed),
            keys: Keys::new(plan.targets.len(), plan.popularity),
            random: SeededRandom::new(plan.seed ^ KEYS),
            timer: Timer::new()?,
            end: plan.duration.unwrap_or(Duration::MAX),
            left: plan.requests.unwrap_or(u64::MAX),
        })
    }

    /// Works through the schedule, and answers how long it was. Cancellation-safe.
    pub(crate) async fn run(&mut self) -> io::Result<Duration> {
        loop {
            let now = self.shared.now();
            if let Some(rate) = self.shared.take_rate() {
                self.arrivals.change(Duration::from_nanos(now), rate);
            }
            let next = self.send_due(now);
            if self.left == 0 {
                // The last request has its gap too: a hundred of them at 100 a second take a second.
                return Ok(next.unwrap_or(Duration::from_nanos(now)).min(self.end));
            }
            // While the rate is zero only a change or the end wakes it.
            let until = next.unwrap_or(self.end).min(self.end);
            let wait = until.saturating_sub(Duration::from_nanos(self.shared.now()));
            if wait.is_zero() {
                if until == self.end {
                    return Ok(self.end);
                }
                tokio::task::yield_now().await;
                continue;
            }
            let crowded = self.arrivals.rate_at(until) >= CROWD;
            let wait = if crowded { wait.max(GRAIN) } else { wait };
            tokio::select! {
                slept = self.timer.sleep(wait) => slept?,
                () = self.shared.changed.notified() => {}
            }
        }
    }

    /// Puts what is due at `now` into the queues, and answers when the next request is due.
    fn send_due(&mut self, now: u64) -> Option<Duration> {
        let mut recorder = None;
        for _ in 0..BATCH_MAX {
            let at = self.arrivals.next_at()?;
            if at >= self.end || self.left == 0 || at.as_nanos() > u128::from(now) {
                return Some(at);
            }
            self.arrivals.advance();
            self.left -= 1;
            let due = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
            let target = self.keys.pick(&self.random);
            let recorder = recorder.get_or_insert_with(|| self.shared.recorder.lock());
            recorder.scheduled(now, due);
            let pool = self
                .pool_of
                .get(target)
                .map_or(0, |pool| usize::from(*pool));
            if !self.pools[pool].queue.push(Shot {
                due,
                queued: now,
                target,
            }) {
                recorder.queue_full();
            }
        }
        self.arrivals.next_at()
    }
}
