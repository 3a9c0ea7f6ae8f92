//! One fault at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Ctx, Random as _, SeededRandom, Steady, Timestamp};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{Effect, FaultSpec};

/// A fault at work, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultView {
    /// Its name.
    pub id: Arc<str>,
    /// What was asked for, with the seed that was drawn.
    #[serde(flatten)]
    pub spec: FaultSpec,
    /// How often it has struck.
    pub hits: u64,
    /// How long it still lasts, in milliseconds.
    pub left_ms: u64,
    /// When it ends by itself, as the calendar says if nobody sets it.
    pub until: Timestamp,
}

/// A fault at work. It ends by itself.
#[derive(Debug)]
pub struct Lease {
    pub(crate) id: Arc<str>,
    pub(crate) spec: FaultSpec,
    pub(crate) until: Timestamp,
    pub(crate) ends: Steady,
    hits: AtomicU64,
    /// Apart from each other, so that how long a wait is does not change who is struck next.
    decisions: SeededRandom,
    waits: SeededRandom,
    /// Cancelled when it is ended before its time.
    pub(crate) over: CancellationToken,
}

impl Lease {
    pub(crate) fn begin(id: Arc<str>, mut spec: FaultSpec, ctx: &Ctx) -> Self {
        // 53 bits, so that JavaScript can repeat it.
        let seed = spec.seed.unwrap_or_else(|| ctx.random.next_u64() >> 11);
        if spec.seam.is_counted() {
            spec.seed = Some(seed);
        }
        let ttl = Duration::from_millis(spec.ttl_ms);
        Self {
            id,
            until: ctx.now().plus(ttl),
            ends: ctx.steady().plus(ttl),
            hits: AtomicU64::new(0),
            decisions: SeededRandom::new(seed),
            waits: SeededRandom::new(!seed),
            over: CancellationToken::new(),
            spec,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What was asked for.
    #[must_use]
    pub const fn spec(&self) -> &FaultSpec {
        &self.spec
    }

    /// How often it has struck.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.spec.max_hits.is_some_and(|max| self.hits() >= max)
    }

    pub(crate) fn view(&self, now: Steady) -> FaultView {
        FaultView {
            id: Arc::clone(&self.id),
            spec: self.spec.clone(),
            hits: self.hits(),
            left_ms: u64::try_from(self.ends.since(now).as_millis()).unwrap_or(u64::MAX),
            until: self.until,
        }
    }

    /// Decides about the next one. Never more often than `max_hits`.
    pub(crate) fn strikes(&self) -> bool {
        let share = self.spec.probability;
        if share < 1.0 && unit(self.decisions.next_u64()) >= share {
            return false;
        }
        let most = self.spec.max_hits.unwrap_or(u64::MAX);
        let more = |hits: u64| (hits < most).then_some(hits.saturating_add(1));
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        self.hits.fetch_update(set, get, more).is_ok()
    }

    fn wait_ms(&self) -> u64 {
        let Some(wait) = self.spec.effect.wait() else {
            return 0;
        };
        if wait.jitter_ms == 0 {
            return wait.ms;
        }
        let spread = self.waits.below(2 * wait.jitter_ms + 1);
        (wait.ms + spread).saturating_sub(wait.jitter_ms)
    }
}

/// A random number from 0 up to 1.
fn unit(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    let numerator = (bits >> 11) as f64;
    numerator / (1_u64 << 53) as f64
}

/// Something was struck. No wait of it outlasts its lease.
#[derive(Clone)]
pub struct Hit {
    lease: Arc<Lease>,
    wait: Duration,
    ctx: Ctx,
}

impl Hit {
    pub(crate) fn by(lease: Arc<Lease>, ctx: &Ctx) -> Self {
        let wait = Duration::from_millis(lease.wait_ms());
        Self {
            lease,
            wait,
            ctx: ctx.clone(),
        }
    }

    /// What is done to it.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.lease.spec.effect
    }

    /// The name of the fault.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.lease.id
    }

    /// How long it is to be held up, drawn anew for each.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.wait
    }

    /// Another delay of the same fault.
    #[must_use]
    pub fn draw(&self) -> Duration {
        Duration::from_millis(self.lease.wait_ms())
    }

    /// Whether the fault has not ended.
    #[must_use]
    pub fn lasts(&self) -> bool {
        !self.left().is_zero()
    }

    /// How long the fault still lasts.
    #[must_use]
    pub fn left(&self) -> Duration {
        if self.lease.over.is_cancelled() {
            return Duration::ZERO;
        }
        self.lease.ends.since(self.ctx.steady())
    }

    /// Holds it up for its delay, or until the fault ends if that is earlier.
    pub async fn hold_up(&self) {
        self.pause(self.wait).await;
    }

    /// Waits until the fault has ended.
    pub async fn ended(&self) {
        self.pause(Duration::MAX).await;
    }

    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait.min(self.left())) => {}
            () = self.lease.over.cancelled() => {}
        }
    }
}
