//! Clock and randomness, handed around as one value.

use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, Id, Random, Steady, SystemClock, SystemRandom, Timestamp};

/// What a use case may know of the world besides its store: the time and the dice.
#[derive(Clone)]
pub struct Ctx {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
}

impl Ctx {
    /// The system's clock and CSPRNG.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// The current moment, as the calendar says.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The current moment, on a scale that is never set: for how long something lasts here.
    #[must_use]
    pub fn steady(&self) -> Steady {
        self.clock.steady()
    }

    /// Ends when `d` has passed: what a loop waits with between its rounds, so that a test can let time pass.
    pub async fn sleep(&self, d: Duration) {
        self.clock.sleep(d).await;
    }

    /// A new id.
    #[must_use]
    pub fn new_id(&self) -> Id {
        Id::new(&*self.clock, &*self.random)
    }
}
