//! The faults of one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use kernel::{Ctx, Steady, Tasks};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::{Effect, FaultError, FaultSpec, FaultView, Hit, Lease, Seam};

/// How many faults a process may have at once.
pub const FAULTS_MAX: usize = 64;
const ID_BYTES_MAX: usize = 40;
/// How long nothing is looked at when there is no fault.
const REST: Duration = Duration::from_secs(3_600);

/// What a seam knows of what it is about to do. A fact that it does not know selects nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The service.
    pub service: Option<&'a str>,
    /// The service that calls.
    pub caller: Option<&'a str>,
    /// The method, path or consumer.
    pub method: Option<&'a str>,
}

/// A fault has begun or ended.
#[derive(Debug, Clone)]
pub struct Change {
    /// The fault as it is now.
    pub fault: FaultView,
    /// What became of it.
    pub kind: Changed,
}

/// What became of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is at work from now on.
    Begun,
    /// Its time was over.
    Expired,
    /// It has struck as often as it was allowed to.
    Spent,
    /// Somebody ended it.
    Ended,
}

impl Changed {
    /// In a word, for the time axis.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Expired => "expired",
            Self::Spent => "spent",
            Self::Ended => "ended",
        }
    }
}

type Listener = Box<dyn Fn(&Change) + Send + Sync>;

/// The faults of one process. Cheap to clone; clones share their state. At rest a seam pays one
/// relaxed load.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    ctx: Ctx,
    any: [AtomicBool; Seam::ALL.len()],
    leases: ArcSwap<Vec<Arc<Lease>>>,
    /// Held while the list changes and its listeners are told.
    changing: Mutex<()>,
    listeners: RwLock<Vec<Listener>>,
}

impl Default for Faults {
    fn default() -> Self {
        Self::new(Ctx::system())
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Faults").field(&self.list()).finish()
    }
}

impl Faults {
    /// None yet. `ctx` is the true clock, and not one that a fault sets.
    #[must_use]
    pub fn new(ctx: Ctx) -> Self {
        Self(Arc::new(Inner {
            ctx,
            any: std::array::from_fn(|_| AtomicBool::new(false)),
            leases: ArcSwap::default(),
            changing: Mutex::default(),
            listeners: RwLock::default(),
        }))
    }

    /// Tells `listener` of every beginning and end from now on. It must neither wait nor change
    /// faults.
    pub fn listen(&self, listener: impl Fn(&Change) + Send + Sync + 'static) {
        self.0.listeners.write().push(Box::new(listener));
    }

    /// Ends faults in time until `tasks` end. The data path does so, too; this is for seams at which
    /// nothing happens, and for those who wait for the end.
    pub fn keep(&self, tasks: &Tasks) {
        let changed = Arc::new(Notify::new());
        let wake = Arc::clone(&changed);
        self.listen(move |_| wake.notify_one());
        let (faults, stop) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            loop {
                let next = faults.reap().unwrap_or(REST);
                tokio::select! {
                    () = stop.stopping() => return,
                    () = changed.notified() => {}
                    () = tokio::time::sleep(next) => {}
                }
            }
        });
    }

    /// Whether there may be a fault at `seam`: one relaxed load.
    #[must_use]
    pub fn any(&self, seam: Seam) -> bool {
        self.0.any[seam.index()].load(Ordering::Relaxed)
    }

    /// Begins a fault with an id of its own.
    pub fn inject(&self, spec: FaultSpec) -> Result<FaultView, FaultError> {
        let id = self.0.ctx.new_id().to_string();
        self.inject_as(&id, spec)
    }

    /// Begins a fault called `id`, in the place of one with that name.
    pub fn inject_as(&self, id: &str, spec: FaultSpec) -> Result<FaultView, FaultError> {
        spec.validate()?;
        let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        if id.is_empty() || id.len() > ID_BYTES_MAX || !id.bytes().all(plain) {
            return Err(FaultError::Id(id.to_owned()));
        }
        self.reap();
        let _changing = self.0.changing.lock();
        self.end_those(Changed::Ended, |lease| lease.id() == id);
        let mut next = Vec::clone(&self.0.leases.load());
        if next.len() >= FAULTS_MAX {
            return Err(FaultError::TooMany);
        }
        let lease = Arc::new(Lease::begin(id.into(), spec, &self.0.ctx));
        let view = lease.view(self.0.ctx.steady());
        next.push(lease);
        self.put(next);
        self.tell(&view, Changed::Begun);
        Ok(view)
    }

    /// The faults that have not ended, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<FaultView> {
        self.reap();
        let now = self.0.ctx.steady();
        let leases = self.0.leases.load();
        leases.iter().map(|lease| lease.view(now)).collect()
    }

    /// Ends a fault before its time. Answers whether it was there.
    pub fn end(&self, id: &str) -> bool {
        self.reap();
        let _changing = self.0.changing.lock();
        !self
            .end_those(Changed::Ended, |lease| lease.id() == id)
            .is_empty()
    }

    /// Ends every fault. Answers their ids.
    pub fn clear(&self) -> Vec<Arc<str>> {
        self.reap();
        let _changing = self.0.changing.lock();
        self.end_those(Changed::Ended, |_| true)
    }

    /// Ends those whose time is over, and answers when the next one's is.
    pub fn reap(&self) -> Option<Duration> {
        let now = self.0.ctx.steady();
        if self.0.leases.load().iter().any(|lease| lease.ends <= now) {
            let _changing = self.0.changing.lock();
            self.end_those(Changed::Expired, |lease| lease.ends <= now);
        }
        let leases = self.0.leases.load();
        leases.iter().map(|lease| lease.ends.since(now)).min()
    }

    /// The faults that strike what is about to happen at `seam`. Each strike counts.
    #[must_use]
    pub fn hits(&self, seam: Seam, facts: Facts<'_>) -> Vec<Hit> {
        self.hits_where(seam, facts, |_| true)
    }

    /// The same for those faults alone whose effect is `wanted`.
    #[must_use]
    pub fn hits_where(
        &self,
        seam: Seam,
        facts: Facts<'_>,
        wanted: impl Fn(Effect) -> bool,
    ) -> Vec<Hit> {
        if !self.any(seam) {
            return Vec::new();
        }
        let leases = self.at_work(seam);
        let meant = leases
            .iter()
            .filter(|lease| wanted(lease.spec.effect) && facts.are_meant_by(lease));
        meant.filter_map(|lease| self.strike(lease)).collect()
    }

    /// The faults at `seam` that have not ended, struck or not: for a seam that decides by itself
    /// when to [`Faults::strike`].
    #[must_use]
    pub fn at_work(&self, seam: Seam) -> Vec<Arc<Lease>> {
        if !self.any(seam) {
            return Vec::new();
        }
        self.reap();
        let leases = self.0.leases.load();
        let here = leases.iter().filter(|lease| lease.spec.seam == seam);
        here.cloned().collect()
    }

    /// Lets `lease` decide whether it strikes; the strike counts.
    #[must_use]
    pub fn strike(&self, lease: &Arc<Lease>) -> Option<Hit> {
        if !lease.strikes() {
            return None;
        }
        let hit = Hit::by(Arc::clone(lease), &self.0.ctx);
        // A connection stays struck until the fault ends; elsewhere there is nothing left to do.
        if lease.is_spent() && lease.spec.seam != Seam::Socket {
            let _changing = self.0.changing.lock();
            self.end_those(Changed::Spent, |other| Arc::ptr_eq(other, lease));
        }
        Some(hit)
    }

    /// By how many milliseconds the clock is wrong.
    #[must_use]
    pub fn step_ms(&self) -> i64 {
        let steps = self.at_work(Seam::Clock);
        let step = |lease: &Arc<Lease>| match lease.spec.effect {
            Effect::Step { ms } => ms,
            _ => 0,
        };
        steps.iter().map(step).fold(0, i64::saturating_add)
    }

    /// Takes out those that `which` says. The caller holds `changing`.
    fn end_those(&self, how: Changed, which: impl Fn(&Arc<Lease>) -> bool) -> Vec<Arc<str>> {
        let mut next = Vec::clone(&self.0.leases.load());
        let ended: Vec<Arc<Lease>> = next.extract_if(.., |lease| which(lease)).collect();
        if ended.is_empty() {
            return Vec::new();
        }
        self.put(next);
        let now: Steady = self.0.ctx.steady();
        for lease in &ended {
            // Whoever is held up by a strike that was allowed stays so for its own time.
            if how != Changed::Spent {
                lease.over.cancel();
            }
            self.tell(&lease.view(now), how);
        }
        ended.iter().map(|lease| Arc::clone(&lease.id)).collect()
    }

    fn put(&self, leases: Vec<Arc<Lease>>) {
        let leases = Arc::new(leases);
        self.0.leases.store(Arc::clone(&leases));
        for seam in Seam::ALL {
            let any = leases.iter().any(|lease| lease.spec.seam == seam);
            self.0.any[seam.index()].store(any, Ordering::Relaxed);
        }
    }

    fn tell(&self, fault: &FaultView, kind: Changed) {
        let change = Change {
            fault: fault.clone(),
            kind,
        };
        for listener in self.0.listeners.read().iter() {
            listener(&change);
        }
    }
}

impl Facts<'_> {
    fn are_meant_by(&self, lease: &Lease) -> bool {
        let selector = &lease.spec.selector;
        let same = |wanted: &Option<String>, fact: Option<&str>| match (wanted, fact) {
            (Some(wanted), Some(fact)) => wanted == fact,
            _ => true,
        };
        let method = match (&selector.method, self.method) {
            (Some(path), Some(asked)) if lease.spec.seam == Seam::Request => {
                asked.starts_with(path.as_str())
            }
            (wanted, fact) => same(wanted, fact),
        };
        method && same(&selector.service, self.service) && same(&selector.caller, self.caller)
    }
}
