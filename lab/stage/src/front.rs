//! The front: a slot for the request, then one call.

use std::sync::Arc;
use std::time::Duration;

use kernel::Ctx;
use mesh::CallCx;
use web::Meta;

use crate::config::Config;
use crate::contract::{Back, Done, StageError, Steady, Work};
use crate::slots::Slots;

/// Everything that `stage_front` can touch.
pub struct FrontDeps {
    /// Clock and randomness.
    pub ctx: Ctx,
    /// The callee with finite capacity.
    pub back: Arc<dyn Back>,
    /// The callee that is always quick.
    pub steady: Arc<dyn Steady>,
}

pub(crate) struct Front {
    deps: FrontDeps,
    slots: Slots,
    timeout: Duration,
}

impl Front {
    pub(crate) fn new(config: &Config, deps: FrontDeps) -> Self {
        let config = config.bounded();
        Self {
            deps,
            slots: Slots::new(config.slots, config.waiting),
            timeout: Duration::from_millis(config.timeout_ms),
        }
    }

    /// One job of `stage_back`.
    pub(crate) async fn work(&self, meta: &Meta) -> Result<Done, StageError> {
        let cx = self.cx(meta);
        let _slot = self
            .slots
            .enter(cx.deadline.left(&*self.deps.ctx.clock))
            .await?;
        self.deps.back.work(&cx, Work {}).await
    }

    /// One job of `stage_steady`.
    pub(crate) async fn steady(&self, meta: &Meta) -> Result<Done, StageError> {
        let cx = self.cx(meta);
        let _slot = self
            .slots
            .enter(cx.deadline.left(&*self.deps.ctx.clock))
            .await?;
        self.deps.steady.work(&cx, Work {}).await
    }

    fn cx(&self, meta: &Meta) -> CallCx {
        CallCx::new(&*self.deps.ctx.clock, self.timeout)
            .with_trace(meta.trace)
            .with_caller(meta.caller.clone())
    }
}
