//! The seam of the clock: what the calendar says may be wrong; how long something lasts may not.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Ctx, Sleep, Steady, Timestamp};

use crate::{Faults, Seam};

/// A clock that faults set.
pub struct FaultyClock {
    truth: Arc<dyn Clock>,
    faults: Faults,
}

impl FaultyClock {
    /// `ctx` with a clock that `faults` set.
    #[must_use]
    pub fn ctx(ctx: &Ctx, faults: &Faults) -> Ctx {
        let clock = Self {
            truth: Arc::clone(&ctx.clock),
            faults: faults.clone(),
        };
        Ctx {
            clock: Arc::new(clock),
            random: Arc::clone(&ctx.random),
        }
    }
}

impl Clock for FaultyClock {
    fn now(&self) -> Timestamp {
        let now = self.truth.now();
        if !self.faults.any(Seam::Clock) {
            return now;
        }
        let step_ms = self.faults.step_ms();
        let step = Duration::from_millis(step_ms.unsigned_abs());
        if step_ms < 0 {
            now.minus(step)
        } else {
            now.plus(step)
        }
    }

    fn steady(&self) -> Steady {
        self.truth.steady()
    }

    fn sleep(&self, d: Duration) -> Sleep {
        self.truth.sleep(d)
    }
}
