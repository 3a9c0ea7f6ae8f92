//! An absolute moment by which an answer is worth something. It travels with the call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Clock, Timestamp};

/// The moment after which nobody waits any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Deadline(pub Timestamp);

impl Deadline {
    /// The deadline `budget` from now.
    #[must_use]
    pub fn after(clock: &dyn Clock, budget: Duration) -> Self {
        Self(clock.now().plus(budget))
    }

    /// What is left; zero when it has passed.
    #[must_use]
    pub fn left(self, clock: &dyn Clock) -> Duration {
        self.0.since(clock.now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(self, clock: &dyn Clock) -> bool {
        self.left(clock).is_zero()
    }

    /// The earlier of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }
}
