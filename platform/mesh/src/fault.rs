//! Faults that are injected on purpose. Each is a lease: it ends by itself at its time, whatever
//! becomes of whoever asked for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use kernel::{Code, Coded, Ctx, Steady, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest that a fault may be asked for: an hour.
const TTL_MS_MAX: u64 = 3_600_000;
/// How many faults one edge may have at once.
const FAULTS_MAX: usize = 32;

/// What a fault does to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FaultKind {
    /// Holds it up before it is sent.
    Latency {
        /// How long.
        ms: u64,
    },
    /// Fails it at once.
    Error {
        /// With this code.
        code: Code,
    },
    /// Loses it: no answer comes before the deadline.
    Drop,
}

/// A fault that somebody asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultSpec {
    /// What it does.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// The share of calls that it hits, above 0 and up to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// How long it lasts.
    pub ttl_ms: u64,
    /// Only calls of this method; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

const fn always() -> f64 {
    1.0
}

/// A fault at work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    /// Its name.
    pub id: Arc<str>,
    /// What was asked for.
    #[serde(flatten)]
    pub spec: FaultSpec,
    /// When it ends by itself, as the calendar says if nobody sets it.
    pub expires: Timestamp,
    #[serde(skip)]
    until: Steady,
}

/// A fault that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultError {
    /// The share is out of its range.
    #[error("probability is {0}; it must be above 0 and at most 1")]
    Probability(f64),
    /// The time is out of its range.
    #[error("ttl_ms is {0}; it must be 1 to {TTL_MS_MAX}")]
    Ttl(u64),
    /// There are too many already.
    #[error("the edge has {FAULTS_MAX} faults already; end one first")]
    TooMany,
}

impl Coded for FaultError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

/// The faults of one edge. At rest a call pays one relaxed load.
pub(crate) struct Faults {
    any: AtomicBool,
    list: ArcSwap<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn none() -> Self {
        Self {
            any: AtomicBool::new(false),
            list: ArcSwap::from_pointee(Vec::new()),
        }
    }

    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// The faults that have not ended.
    pub(crate) fn list(&self, now: Steady) -> Vec<Fault> {
        self.list
            .load()
            .iter()
            .filter(|f| f.until > now)
            .cloned()
            .collect()
    }

    pub(crate) fn inject(&self, spec: FaultSpec, ctx: &Ctx) -> Result<Fault, FaultError> {
        if !(spec.probability > 0.0 && spec.probability <= 1.0) {
            return Err(FaultError::Probability(spec.probability));
        }
        if !(1..=TTL_MS_MAX).contains(&spec.ttl_ms) {
            return Err(FaultError::Ttl(spec.ttl_ms));
        }
        let now = ctx.steady();
        if self.list(now).len() >= FAULTS_MAX {
            return Err(FaultError::TooMany);
        }
        let ttl = Duration::from_millis(spec.ttl_ms);
        let fault = Fault {
            id: ctx.new_id().to_string().into(),
            spec,
            expires: ctx.now().plus(ttl),
            until: now.plus(ttl),
        };
        self.change(|list| {
            list.retain(|f| f.until > now);
            list.push(fault.clone());
        });
        Ok(fault)
    }

    /// Ends a fault before its time. Answers whether it was there.
    pub(crate) fn end(&self, id: &str) -> bool {
        let was = self.list.load().iter().any(|f| &*f.id == id);
        self.change(|list| list.retain(|f| &*f.id != id));
        was
    }

    /// Removes faults whose time has come, and answers them.
    pub(crate) fn reap(&self, now: Steady) -> Vec<Fault> {
        let ended: Vec<Fault> = self
            .list
            .load()
            .iter()
            .filter(|f| f.until <= now)
            .cloned()
            .collect();
        if !ended.is_empty() {
            self.change(|list| list.retain(|f| f.until > now));
        }
        ended
    }

    /// The faults that hit this call.
    pub(crate) fn hits(&self, method: &str, ctx: &Ctx) -> Vec<Fault> {
        let now = ctx.steady();
        let hit = |f: &&Fault| {
            f.until > now
                && f.spec.method.as_deref().is_none_or(|m| m == method)
                && (f.spec.probability >= 1.0 || unit(ctx) < f.spec.probability)
        };
        self.list.load().iter().filter(hit).cloned().collect()
    }

    fn change(&self, edit: impl Fn(&mut Vec<Fault>)) {
        self.list.rcu(|list| {
            let mut next = Vec::clone(list);
            edit(&mut next);
            next
        });
        self.any
            .store(!self.list.load().is_empty(), Ordering::Relaxed);
    }
}

/// A random number from 0 up to 1.
fn unit(ctx: &Ctx) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    let numerator = (ctx.random.next_u64() >> 11) as f64;
    numerator / (1_u64 << 53) as f64
}
