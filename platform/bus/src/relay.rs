//! The relay: reads the outbox of a service and keeps every consumer up to date.
//!
//! One process leads, by a lease in the producer's database; when the lease is lost its lanes stop.
//! Each consumer has a lane of its own with its own cursor, so a slow one holds up nobody. The cursor
//! in the database is what the consumer has committed, never what was merely sent.

mod lane;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kernel::{Clock, Tasks, Timestamp};
use storage::{Db, Lease, Tx};
use telemetry::Gauge;
use tokio_util::sync::CancellationToken;

use crate::options::BusOptions;
pub(crate) use lane::Lane;

const LEASE: &str = "bus.relay";
const PRUNE_EVERY: Duration = Duration::from_secs(60);
const PRUNE_MAX: u32 = 2_000;

/// The right to relay, for as long as the lease lasts.
#[derive(Clone)]
pub(crate) struct Term {
    until: Arc<AtomicI64>,
    clock: Arc<dyn Clock>,
    over: CancellationToken,
}

impl Term {
    /// Whether the lease still lasts.
    pub(crate) fn lasts(&self) -> bool {
        !self.over.is_cancelled()
            && self.clock.now() < Timestamp(self.until.load(Ordering::Relaxed))
    }

    /// Resolves when the term is over.
    pub(crate) async fn over(&self) {
        self.over.cancelled().await;
    }
}

/// Relays one outbox while this process leads.
pub(crate) struct Relay {
    pub(crate) db: Db,
    pub(crate) holder: String,
    pub(crate) options: BusOptions,
    pub(crate) tasks: Tasks,
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub(crate) leads: Gauge,
}

impl Relay {
    /// Runs until the tasks end: waits for the lead, relays, and stops when the lead is lost.
    pub(crate) async fn run(self) {
        while !self.tasks.is_stopping() {
            match self.claim().await {
                Some(lease) => self.lead(lease).await,
                None => self.pause(self.options.lease / 4).await,
            }
        }
    }

    async fn pause(&self, how_long: Duration) {
        tokio::select! {
            () = tokio::time::sleep(how_long) => {}
            () = self.tasks.stopping() => {}
        }
    }

    async fn claim(&self) -> Option<Lease> {
        let (holder, ttl) = (self.holder.clone(), self.options.lease);
        let claim = async move |tx: &mut Tx<'_>| tx.claim_lease(LEASE, &holder, ttl).await;
        match self.db.write::<_, storage::Error, _>(claim).await {
            Ok(lease) => lease,
            Err(error) => {
                tracing::warn!(producer = self.db.schema(), %error, "cannot claim the relay's lease");
                None
            }
        }
    }

    async fn lead(&self, mut lease: Lease) {
        tracing::info!(
            producer = self.db.schema(),
            holder = self.holder,
            "leads the relay"
        );
        let term = Term {
            until: Arc::new(AtomicI64::new(lease.until.0)),
            clock: Arc::clone(&self.db.ctx().clock),
            over: CancellationToken::new(),
        };
        let running: Vec<_> = self
            .lanes
            .iter()
            .map(|lane| self.tasks.spawn(Arc::clone(lane).run(term.clone())))
            .collect();
        self.leads.set(1);
        let mut pruned = tokio::time::Instant::now();
        while term.lasts() && !self.tasks.is_stopping() {
            self.pause(self.options.lease / 4).await;
            // A claim that fails leaves the lease to run out by itself.
            if let Some(renewed) = self.claim().await {
                if renewed.fence != lease.fence {
                    tracing::warn!(producer = self.db.schema(), "the lease was lost meanwhile");
                    lease = renewed;
                    break;
                }
                term.until.store(renewed.until.0, Ordering::Relaxed);
                lease = renewed;
            }
            if pruned.elapsed() > PRUNE_EVERY {
                pruned = tokio::time::Instant::now();
                self.prune().await;
            }
        }
        term.over.cancel();
        join_all(running).await;
        self.leads.set(0);
        let release = async move |tx: &mut Tx<'_>| tx.release_lease(&lease).await;
        if let Err(error) = self.db.write::<_, storage::Error, _>(release).await {
            tracing::debug!(%error, "the relay's lease runs out by itself");
        }
    }

    /// Deletes old events that every consumer has committed.
    async fn prune(&self) {
        let before = self.db.ctx().now().minus(self.options.keep);
        loop {
            let prune = async move |tx: &mut Tx<'_>| {
                let end = tx.outbox_end().await?;
                let upto = tx.lowest_cursor().await?.unwrap_or(end);
                tx.prune_outbox(before, upto, PRUNE_MAX).await
            };
            match self.db.write::<_, storage::Error, _>(prune).await {
                Ok(deleted) if deleted == u64::from(PRUNE_MAX) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(producer = self.db.schema(), %error, "cannot prune the outbox");
                    return;
                }
            }
        }
    }
}
