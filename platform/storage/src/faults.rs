//! Faults for tests and the lab: a writer that stalls, commits that fail. Each is a lease that ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::{Error, ErrorKind, Result};

/// The faults of one database. Cheap to clone; off at rest, when they cost one load a transaction.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    any: AtomicBool,
    leases: Mutex<Leases>,
}

#[derive(Debug, Default)]
struct Leases {
    stall_until: Option<Instant>,
    fail_until: Option<Instant>,
    fail_left: u32,
}

impl Faults {
    /// Every write that commits within the next `lease` waits until it has ended.
    pub fn stall_writer(&self, lease: Duration) {
        self.0.leases.lock().stall_until = Some(Instant::now() + lease);
        self.0.any.store(true, Ordering::Release);
    }

    /// The next `times` commits within `lease` fail as if the disk did, and are rolled back.
    pub fn fail_commits(&self, times: u32, lease: Duration) {
        let mut leases = self.0.leases.lock();
        leases.fail_until = Some(Instant::now() + lease);
        leases.fail_left = times;
        self.0.any.store(true, Ordering::Release);
    }

    /// Ends every fault now.
    pub fn clear(&self) {
        *self.0.leases.lock() = Leases::default();
        self.0.any.store(false, Ordering::Release);
    }

    /// How long a commit has to wait now.
    pub(crate) fn stall(&self) -> Option<Duration> {
        if !self.0.any.load(Ordering::Acquire) {
            return None;
        }
        let until = self.0.leases.lock().stall_until?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// Fails if this commit has to fail. Ends what has run out.
    pub(crate) fn before_commit(&self) -> Result<()> {
        if !self.0.any.load(Ordering::Acquire) {
            return Ok(());
        }
        let now = Instant::now();
        let mut leases = self.0.leases.lock();
        let fails = leases.fail_left > 0 && leases.fail_until.is_some_and(|until| now < until);
        if fails {
            leases.fail_left -= 1;
            return Err(Error::new(
                ErrorKind::CommitFailed,
                "commit failed by an injected fault and was rolled back; try again",
            ));
        }
        if leases.stall_until.is_none_or(|until| until <= now) {
            *leases = Leases::default();
            self.0.any.store(false, Ordering::Release);
        }
        Ok(())
    }
}
