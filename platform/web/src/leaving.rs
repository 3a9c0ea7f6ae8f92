//! The word that a process is about to end, for whatever has no end of its own: streams, polls,
//! sockets. They hear it before a drain begins to count, say goodbye and end by themselves.

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Says it. There is one per process, or per server.
#[derive(Debug, Default)]
pub struct Leave(Leaving);

impl Leave {
    /// Tells everybody who listens, now and later.
    pub fn tell(&self) {
        self.0.told.cancel();
    }

    /// What listens.
    #[must_use]
    pub fn leaving(&self) -> Leaving {
        self.0.clone()
    }
}

/// Hears that the process leaves. Cheap to clone; the default one is never told.
#[derive(Debug, Clone, Default)]
pub struct Leaving {
    told: CancellationToken,
}

impl Leaving {
    /// Resolves once it is told, at once if it has been. Cancellation-safe.
    pub async fn told(&self) {
        self.told.cancelled().await;
    }

    /// Whether it has been told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.told.is_cancelled()
    }

    /// The same as [`Leaving::told`], to be kept beside what waits for it.
    pub(crate) fn into_told(self) -> WaitForCancellationFutureOwned {
        self.told.cancelled_owned()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn whoever_asks_late_is_told_all_the_same() {
        let leave = Leave::default();
        let early = leave.leaving();
        assert!(!early.is_told() && early.told().now_or_never().is_none());
        leave.tell();
        let late = leave.leaving();
        for leaving in [&early, &late] {
            assert!(leaving.is_told() && leaving.told().now_or_never().is_some());
        }
    }

    #[test]
    fn the_default_one_is_never_told() {
        assert!(Leaving::default().told().now_or_never().is_none());
    }
}
