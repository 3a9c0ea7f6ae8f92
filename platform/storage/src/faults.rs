//! Faults of a database: commits and reads that are slow, commits that fail.

use std::sync::Arc;
use std::time::Duration;

use faults::{Effect, Facts, FaultSpec, Hit, Seam, Wait};

use crate::{Error, ErrorKind, Result};

/// The faults that strike one database. Cheap to clone; at rest a transaction pays one load.
#[derive(Debug, Clone)]
pub struct Faults {
    all: faults::Faults,
    service: Arc<str>,
}

impl Faults {
    /// Those of `all` that are meant for the data of `service`.
    #[must_use]
    pub fn of(all: faults::Faults, service: &str) -> Self {
        Self {
            all,
            service: service.into(),
        }
    }

    /// The service whose data it is.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Every write that commits within the next `lease` waits until it has ended.
    pub fn stall_writer(&self, lease: Duration) {
        self.stall(Effect::SlowCommit, lease);
    }

    /// Every read that begins within the next `lease` waits until it has ended.
    pub fn stall_reads(&self, lease: Duration) {
        self.stall(Effect::SlowRead, lease);
    }

    /// The next `times` commits within `lease` fail as if the disk did, and are rolled back.
    pub fn fail_commits(&self, times: u64, lease: Duration) {
        self.inject(Effect::IoError, millis(lease), times);
    }

    /// Ends every fault of this database now.
    pub fn clear(&self) {
        for fault in self.all.list() {
            let ours = fault.spec.selector.service.as_deref() == Some(&*self.service);
            if fault.spec.seam == Seam::Storage && ours {
                self.all.end(&fault.id);
            }
        }
    }

    fn stall(&self, slow: impl FnOnce(Wait) -> Effect, lease: Duration) {
        let ms = millis(lease);
        self.inject(slow(Wait { ms, jitter_ms: 0 }), ms, u64::MAX);
    }

    fn inject(&self, effect: Effect, ttl_ms: u64, times: u64) {
        let spec = FaultSpec::new(Seam::Storage, effect, ttl_ms);
        let done = self.all.inject(spec.on(&self.service).at_most(times));
        debug_assert!(done.is_ok(), "a lease of a test: {done:?}");
    }

    /// What holds up a commit.
    pub(crate) fn slow_commits(&self) -> Vec<Hit> {
        self.hits(|effect| matches!(effect, Effect::SlowCommit(_)))
    }

    /// What holds up a read.
    pub(crate) fn slow_reads(&self) -> Vec<Hit> {
        self.hits(|effect| matches!(effect, Effect::SlowRead(_)))
    }

    /// Fails if this commit has to fail.
    pub(crate) fn before_commit(&self) -> Result<()> {
        let fails = |effect| matches!(effect, Effect::IoError | Effect::DiskFull);
        let (kind, text) = match self.hits(fails).first().map(Hit::effect) {
            None => return Ok(()),
            Some(Effect::DiskFull) => (
                ErrorKind::Full,
                "the disk is full by an injected fault; the transaction was rolled back",
            ),
            Some(_) => (
                ErrorKind::CommitFailed,
                "commit failed by an injected fault and was rolled back; try again",
            ),
        };
        Err(Error::new(kind, text))
    }

    fn hits(&self, wanted: impl Fn(Effect) -> bool) -> Vec<Hit> {
        let facts = Facts {
            service: Some(&self.service),
            ..Facts::default()
        };
        self.all.hits_where(Seam::Storage, facts, wanted)
    }
}

/// Waits as long as `hits` ask for, in short pieces, so that they can be called off.
#[expect(
    clippy::disallowed_methods,
    reason = "for the threads of a database, which have no runtime"
)]
pub(crate) fn hold_up_thread(hits: &[Hit]) {
    const PIECE: Duration = Duration::from_millis(5);
    for hit in hits {
        let mut left = hit.delay();
        while !left.is_zero() && hit.lasts() {
            let start = std::time::Instant::now();
            std::thread::sleep(left.min(PIECE).min(hit.left()));
            left = left.saturating_sub(start.elapsed());
        }
    }
}

fn millis(lease: Duration) -> u64 {
    u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)
}
