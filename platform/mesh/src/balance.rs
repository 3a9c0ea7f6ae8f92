//! Chooses the endpoint of each request: four algorithms, switched while running, all aware of
//! failures unless that is switched off. Endpoints that fail are ejected for a while, but at least
//! half stay in rotation, so it works with two to five of them; [`Balancer::view`] says in words why
//! one is out.

mod algorithm;
mod choices;
mod eject;
mod ring;
mod slot;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use kernel::{Clock, Ctx, Steady};
use parking_lot::Mutex;

use crate::discovery::{Endpoint, Endpoints};

pub use choices::{Algorithm, Choices, Chosen};
pub use ring::hash_key;
pub use slot::Outcome;
pub use view::{BalancerView, EndpointView};

use algorithm::Set;
use slot::Slot;

/// The settings of a balancer.
#[derive(Debug, Clone, PartialEq)]
pub struct BalancerConfig {
    /// How fast old latencies are forgotten.
    pub decay: Duration,
    /// What one failure costs at first; the penalty then decays.
    pub penalty: Duration,
    /// How fast a penalty decays.
    pub penalty_decay: Duration,
    /// How long an endpoint that is new gets less than its share.
    pub slow_start: Duration,
    /// So many failures in a row eject an endpoint; a failed connection counts twice.
    pub failures_in_a_row: u32,
    /// An endpoint with this share of failures within `eject_window` is ejected.
    pub failure_rate: f64,
    /// ... if it had this many requests.
    pub failure_volume: u32,
    /// Over how long the share is taken.
    pub eject_window: Duration,
    /// The first ejection lasts this long, each further one twice as long.
    pub eject_base: Duration,
    /// No ejection lasts longer.
    pub eject_max: Duration,
    /// An endpoint may have this many times its share before a key moves on.
    pub hash_load_factor: f64,
}

impl Default for BalancerConfig {
    fn default() -> Self {
        Self {
            decay: Duration::from_secs(10),
            penalty: Duration::from_secs(1),
            penalty_decay: Duration::from_secs(1),
            slow_start: Duration::from_secs(10),
            failures_in_a_row: 5,
            failure_rate: 0.5,
            failure_volume: 20,
            eject_window: Duration::from_secs(10),
            eject_base: Duration::from_secs(5),
            eject_max: Duration::from_secs(300),
            hash_load_factor: 1.25,
        }
    }
}

/// Chooses endpoints of one service. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Balancer(Arc<Shared>);

struct Shared {
    service: Arc<str>,
    config: BalancerConfig,
    choices: Choices,
    /// What was heeded when the rotation was made, as [`choices::Heeds::bits`].
    heeded: AtomicU8,
    ctx: Ctx,
    set: ArcSwap<Set>,
    /// When the rotation is to be looked at again: an ejection ends.
    recheck: AtomicI64,
    turn: AtomicUsize,
    dice: AtomicU64,
    in_flight: AtomicUsize,
    /// Held while the set or the rotation is remade; never for a pick.
    endpoints: Mutex<Endpoints>,
}

impl Balancer {
    /// Balances over `endpoints` of `service` as they come and go.
    #[must_use]
    pub fn new(
        service: &str,
        endpoints: Endpoints,
        choices: Choices,
        config: BalancerConfig,
        ctx: Ctx,
    ) -> Self {
        let balancer = Self(Arc::new(Shared {
            service: service.into(),
            config,
            heeded: AtomicU8::new(choices.heeds().bits()),
            choices,
            set: ArcSwap::from_pointee(Set::empty(endpoints.clone())),
            recheck: AtomicI64::new(i64::MAX),
            turn: AtomicUsize::new(0),
            dice: AtomicU64::new(ctx.random.next_u64()),
            in_flight: AtomicUsize::new(0),
            endpoints: Mutex::new(endpoints),
            ctx,
        }));
        balancer.0.refresh(balancer.0.ctx.steady());
        balancer
    }

    /// With the default settings.
    #[must_use]
    pub fn simple(service: &str, endpoints: Endpoints, algorithm: Algorithm, ctx: Ctx) -> Self {
        let config = BalancerConfig::default();
        Self::new(service, endpoints, algorithm.into(), config, ctx)
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.0.service
    }

    /// The algorithm now.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.choices.algorithm.get()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.ctx.clock
    }

    /// Chooses an endpoint. `hash` is the key of consistent hashing (see [`hash_key`]); without one
    /// the choice is random there. `None` when no endpoint is known.
    #[must_use]
    pub fn pick(&self, hash: Option<u64>) -> Option<Picked> {
        self.pick_other(hash, &[])
    }

    /// Chooses an endpoint that is not among `tried`, if there is another.
    #[must_use]
    pub fn pick_other(&self, hash: Option<u64>, tried: &[SocketAddr]) -> Option<Picked> {
        let shared = &self.0;
        let now = shared.ctx.steady();
        let mut set = shared.set.load();
        if set.is_stale()
            || now.micros() >= shared.recheck.load(Ordering::Relaxed)
            || shared.choices.heeds().bits() != shared.heeded.load(Ordering::Relaxed)
        {
            shared.refresh(now);
            set = shared.set.load();
        }
        let slot = shared.choose(self.algorithm(), &set, hash, tried, now)?;
        let slot = Arc::clone(slot);
        slot.begin();
        shared.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Picked {
            shared: Arc::clone(shared),
            slot,
            started: now,
            done: false,
        })
    }

    /// Notes what a health check found. An endpoint that is marked unhealthy is out of rotation
    /// until it is marked healthy, unless nothing else would be left or marks are not heeded.
    pub fn mark(&self, addr: SocketAddr, health: Health) {
        let set = self.0.set.load();
        let Some(slot) = set.slots.iter().find(|s| s.endpoint.addr == addr) else {
            return;
        };
        let now = self.0.ctx.steady();
        if slot.mark(health, now) {
            self.0.rotate(&set.slots, now);
        }
    }

    /// The endpoints now, in rotation or not.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.0.refresh(self.0.ctx.steady());
        self.0
            .set
            .load()
            .slots
            .iter()
            .map(|s| s.endpoint.clone())
            .collect()
    }

    /// How every endpoint stands, and why those that are out are out.
    #[must_use]
    pub fn view(&self) -> BalancerView {
        let now = self.0.ctx.steady();
        self.0.refresh(now);
        let (set, heeds) = (self.0.set.load(), self.0.choices.heeds());
        let endpoints = set
            .slots
            .iter()
            .map(|s| s.view(&self.0.config, heeds, now))
            .collect();
        BalancerView {
            service: Arc::clone(&self.0.service),
            algorithm: self.algorithm(),
            endpoints,
        }
    }
}

/// What a health check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is well.
    Healthy,
    /// It is not; the text says what the check saw.
    Unhealthy(String),
}

/// One endpoint, chosen for one request. Finish it with what became of the request; dropped
/// unfinished it only gives its place back.
pub struct Picked {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    started: Steady,
    done: bool,
}

impl Picked {
    /// Where to send the request.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.slot.endpoint.addr
    }

    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.slot.endpoint
    }

    /// Notes what became of the request; its latency is the time since the pick.
    pub fn finish(self, outcome: Outcome) {
        let now = self.shared.ctx.steady();
        let latency = now.since(self.started);
        self.end(outcome, latency, now);
    }

    /// The same with a latency that the caller has measured.
    pub fn finish_after(self, outcome: Outcome, latency: Duration) {
        let now = self.shared.ctx.steady();
        self.end(outcome, latency, now);
    }

    fn end(mut self, outcome: Outcome, latency: Duration, now: Steady) {
        self.done = true;
        self.give_back();
        let shared = &self.shared;
        if !shared.choices.heeds().failures {
            self.slot.learn(latency, &shared.config, now);
        } else if self.slot.record(outcome, latency, &shared.config, now) {
            shared.rotate(&shared.set.load().slots, now);
        }
    }

    fn give_back(&self) {
        self.slot.end();
        self.shared.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Picked {
    fn drop(&mut self) {
        if !self.done {
            self.give_back();
        }
    }
}

#[cfg(test)]
mod tests;
