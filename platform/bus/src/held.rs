//! A lease as far as the process that holds it may rely on it.

use std::time::Duration;

use kernel::Timestamp;
use storage::{Db, Lease, Tx};
use tokio::time::Instant;

/// A lease that this process holds.
///
/// In the database it ends by the wall clock, which may be set back and would then last too long
/// here: it ends by the clock that only goes forward, too, whichever comes first.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) lease: Lease,
    ends: Instant,
}

impl Held {
    /// Takes or renews the lease `name`. None: another one holds it.
    pub(crate) async fn claim(
        db: &Db,
        name: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<Self>, storage::Error> {
        let ends = Instant::now() + ttl;
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let claim = async move |tx: &mut Tx<'_>| tx.claim_lease(&name, &holder, ttl).await;
        let lease = db.write::<_, storage::Error, _>(claim).await?;
        Ok(lease.map(|lease| Self { lease, ends }))
    }

    /// How long it lasts yet, at `now` by the wall clock.
    pub(crate) fn left(&self, now: Timestamp) -> Duration {
        let here = self.ends.saturating_duration_since(Instant::now());
        here.min(self.lease.until.since(now))
    }
}
