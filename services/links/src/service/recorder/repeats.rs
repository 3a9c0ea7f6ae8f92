//! Visits of requests that another replica was asked before, on their way to the store: each is
//! looked for there, and written if that replica has not done so.
//!
//! Taking one is as cheap as taking a click and waits for nothing. What cannot be settled now stays
//! and is tried again: it is never counted on the guess that nobody else did.

use std::collections::BTreeSet;
use std::sync::Arc;

use storage::{Db, ErrorKind, Tx};
use telemetry::Counter;
use tokio::sync::{Mutex, Notify};

use super::Full;
use super::group::Encoded;
use super::salts::Salts;
use super::shard::{Drained, Shards, Visit};
use crate::service::meters::ClickMeters;
use crate::store::{clicks, repeats};

/// The most visits that wait. A replica that dies leaves as many as it had requests under way.
const VISITS_MAX: usize = 16_384;
/// How often a fold may begin while visits are looked for; one begins at most every second or so.
const LOOKS_MAX: usize = 8;

/// Takes repeated visits and settles them.
pub(crate) struct Repeats {
    db: Db,
    shards: Shards,
    wake: Notify,
    state: Mutex<State>,
    taken: Counter,
    failures: Counter,
}

/// What is not settled yet. It survives a caller that is cut off in the middle of its work.
#[derive(Default)]
struct State {
    drained: Vec<Drained>,
    salts: Salts,
}

impl Repeats {
    pub(super) fn new(db: Db, meters: &ClickMeters) -> Self {
        Self {
            db,
            shards: Shards::new(VISITS_MAX),
            wake: Notify::new(),
            state: Mutex::default(),
            taken: meters.again.clone(),
            failures: meters.failures.clone(),
        }
    }

    /// Takes a visit whose request has a number. Never waits.
    pub(crate) fn take(&self, visit: &Visit<'_>) -> Result<(), Full> {
        self.shards.push(visit)?;
        self.taken.inc();
        self.wake.notify_one();
        Ok(())
    }

    /// Waits until there is something to settle. Cancellation-safe.
    pub(crate) async fn some(&self) {
        self.wake.notified().await;
    }

    /// Settles everything that was taken until now.
    pub(crate) async fn settle(&self) -> Result<(), storage::Error> {
        let mut state = self.state.lock().await;
        let State { drained, salts } = &mut *state;
        // First what an earlier attempt has left, then what has come since.
        for _ in 0..2 {
            if drained.is_empty() {
                *drained = self.shards.drain();
            }
            if drained.is_empty() {
                return Ok(());
            }
            let written = self.write(drained, salts).await;
            written.inspect_err(|_| self.failures.inc())?;
            drained.clear();
        }
        Ok(())
    }

    /// Writes what nobody has written. May be done again after a failure: a number is claimed once.
    async fn write(&self, drained: &[Drained], salts: &mut Salts) -> Result<(), storage::Error> {
        salts.fetch(&self.db, drained).await?;
        let encoded = drained.iter().map(|one| Encoded::new(one, salts));
        let encoded: Arc<[Encoded]> = encoded.collect();
        let all = drained.iter().flat_map(|one| &one.clicks);
        let hops: Arc<BTreeSet<u64>> = Arc::new(all.map(|click| click.hop).collect());
        for _ in 0..LOOKS_MAX {
            let hops = Arc::clone(&hops);
            let look = async move |tx: &mut Tx<'_>| repeats::look(tx, &hops).await;
            let look = self.db.read::<_, storage::Error, _>(look).await?;
            if look.found_all() {
                return Ok(());
            }
            let encoded = Arc::clone(&encoded);
            let add = async move |tx: &mut Tx<'_>| {
                let Some(mut claimed) = repeats::claim(tx, &look).await? else {
                    return Ok(false);
                };
                for one in &*encoded {
                    clicks::append(tx, &one.one_each(&mut claimed)).await?;
                }
                Ok(true)
            };
            if self.db.write::<_, storage::Error, _>(add).await? {
                return Ok(());
            }
        }
        let message = "folds began again and again while a repeated visit was looked for";
        Err(storage::Error::new(ErrorKind::Busy, message))
    }
}
