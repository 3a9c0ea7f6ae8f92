//! The relay: reads the outbox of a service and keeps every consumer up to date.
//!
//! One process leads, by a lease in the producer's database; when the lease is lost its lanes stop.
//! Each consumer has a lane of its own with its own cursor, so a slow one holds up nobody. The cursor
//! in the database is what the consumer has committed, never what was merely sent.

mod lane;
mod prune;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use kernel::{Clock, Tasks};
use parking_lot::Mutex;
use storage::{Db, Lease, Tx};
use telemetry::Gauge;
use tokio_util::sync::CancellationToken;

use crate::held::Held;
use crate::options::BusOptions;
pub(crate) use lane::Lane;
use prune::Pruner;

const LEASE: &str = "bus.relay";

/// The right to relay, for as long as the lease lasts.
#[derive(Clone)]
pub(crate) struct Term {
    held: Arc<Mutex<Held>>,
    clock: Arc<dyn Clock>,
    over: CancellationToken,
}

impl Term {
    /// Whether the lease still lasts.
    pub(crate) fn lasts(&self) -> bool {
        !self.over.is_cancelled() && self.held.lock().left(self.clock.now()) > Duration::ZERO
    }

    /// Resolves when the term is over.
    pub(crate) async fn over(&self) {
        self.over.cancelled().await;
    }
}

/// Relays one outbox while this process leads, and deletes what is old in it.
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
        self.tell_of_strays().await;
        if self.lanes.is_empty() {
            return self.only_prune().await;
        }
        while !self.tasks.is_stopping() {
            match self.claim().await {
                Ok(Some(held)) => self.lead(held).await,
                Ok(None) | Err(_) => self.pause(self.options.lease / 4).await,
            }
        }
    }

    /// Nobody is to be kept up to date: leads now and then, for as long as pruning takes.
    async fn only_prune(&self) {
        let mut pruner = Pruner::new(self);
        while !self.tasks.is_stopping() {
            self.pause(self.options.lease / 4).await;
            if pruner.is_due()
                && let Ok(Some(held)) = self.claim().await
            {
                pruner.work().await;
                self.release(held.lease).await;
            }
        }
    }

    /// A consumer that was renamed or removed leaves its cursor behind, which holds nothing back.
    async fn tell_of_strays(&self) {
        let all = async |tx: &mut Tx<'_>| tx.cursors().await;
        let cursors = self.db.read::<_, storage::Error, _>(all).await;
        for (cursor, position) in cursors.unwrap_or_default() {
            if self.lanes.iter().all(|lane| lane.cursor() != cursor) {
                let (producer, position) = (self.db.schema(), position.0);
                tracing::warn!(
                    producer,
                    cursor,
                    position,
                    "nobody reads by this cursor any more"
                );
            }
        }
    }

    async fn pause(&self, how_long: Duration) {
        tokio::select! {
            () = tokio::time::sleep(how_long) => {}
            () = self.tasks.stopping() => {}
        }
    }

    /// Takes or renews the lease. None: another process leads.
    async fn claim(&self) -> Result<Option<Held>, storage::Error> {
        let claimed = Held::claim(&self.db, LEASE, &self.holder, self.options.lease).await;
        claimed.inspect_err(|error| {
            tracing::warn!(producer = self.db.schema(), %error, "cannot claim the relay's lease");
        })
    }

    async fn lead(&self, held: Held) {
        let producer = self.db.schema();
        tracing::info!(producer, holder = self.holder, "leads the relay");
        let mut lease = held.lease.clone();
        let term = Term {
            held: Arc::new(Mutex::new(held)),
            clock: Arc::clone(&self.db.ctx().clock),
            over: CancellationToken::new(),
        };
        let lanes = self.lanes.iter();
        let running: Vec<_> = lanes
            .map(|lane| self.tasks.spawn(Arc::clone(lane).run(term.clone())))
            .collect();
        self.leads.set(1);
        let mut pruner = Pruner::new(self);
        while term.lasts() && !self.tasks.is_stopping() {
            self.pause(self.options.lease / 4).await;
            match self.claim().await {
                Ok(Some(renewed)) if renewed.lease.fence == lease.fence => {
                    *term.held.lock() = renewed;
                }
                Ok(renewed) => {
                    tracing::warn!(producer, "the lease was lost meanwhile");
                    lease = renewed.map_or(lease, |held| held.lease);
                    break;
                }
                // It runs out by itself.
                Err(_) => {}
            }
            if pruner.is_due() {
                pruner.work().await;
            }
        }
        term.over.cancel();
        join_all(running).await;
        self.leads.set(0);
        self.release(lease).await;
    }

    async fn release(&self, lease: Lease) {
        let release = async move |tx: &mut Tx<'_>| tx.release_lease(&lease).await;
        if let Err(error) = self.db.write::<_, storage::Error, _>(release).await {
            tracing::debug!(%error, "the relay's lease runs out by itself");
        }
    }
}
