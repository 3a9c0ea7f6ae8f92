//! Tries parked events again, and prunes the inbox.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use kernel::{Id, Tasks};
use storage::Tx;

use crate::inlet::{Inlet, Tally, passes};
use crate::parked;
use crate::{Event, HandlerError};

const DUE_MAX: u32 = 64;
const PARALLEL_MAX: usize = 8;
/// Another replica may have parked something meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const PRUNE_EVERY: Duration = Duration::from_secs(300);

enum Stop {
    Storage(storage::Error),
    Event(HandlerError, i64),
}

impl From<storage::Error> for Stop {
    fn from(error: storage::Error) -> Self {
        Self::Storage(error)
    }
}

/// Runs until the tasks end.
pub(crate) async fn run(inlet: Arc<Inlet>, remember: Duration, tasks: Tasks) {
    let mut pruned = tokio::time::Instant::now();
    while !tasks.is_stopping() {
        let wait = match step(&inlet).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(consumer = inlet.name, %error, "cannot look at parked events");
                LOOK_EVERY
            }
        };
        if pruned.elapsed() > PRUNE_EVERY {
            pruned = tokio::time::Instant::now();
            let before = inlet.db.ctx().now().minus(remember);
            if let Err(error) = inlet.db.prune_inbox(before).await {
                tracing::warn!(consumer = inlet.name, %error, "cannot prune the inbox");
            }
        }
        tokio::select! {
            () = inlet.parked.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = tasks.stopping() => {}
        }
    }
}

/// Tries what is due; answers how long nothing will be.
async fn step(inlet: &Arc<Inlet>) -> Result<Duration, storage::Error> {
    let name = inlet.name;
    loop {
        let (due, next, dead, now) = inlet
            .db
            .read(async move |tx: &mut Tx<'_>| {
                let due = parked::due(tx, name, DUE_MAX).await?;
                let next = parked::next_due(tx, name).await?;
                let dead = parked::count(tx, name, "dead").await?;
                Ok::<_, storage::Error>((due, next, dead, tx.now()))
            })
            .await?;
        inlet.meters.dead.set(dead);
        if due.is_empty() {
            return Ok(next
                .map_or(LOOK_EVERY, |at| at.since(now))
                .clamp(Duration::from_millis(5), LOOK_EVERY));
        }
        let mut tries = stream::iter(due)
            .map(|id| attempt(inlet, id))
            .buffer_unordered(PARALLEL_MAX);
        while let Some(tried) = tries.next().await {
            tried?;
        }
    }
}

async fn attempt(inlet: &Arc<Inlet>, id: Id) -> Result<(), storage::Error> {
    let worker = Arc::clone(inlet);
    let applied = inlet
        .db
        .write(async move |tx: &mut Tx<'_>| {
            let Some(taken) = parked::take(tx, worker.name, id).await? else {
                return Ok(false);
            };
            let event = Event::from_cloud_event(&taken.event)
                .map_err(|e| Stop::Event(HandlerError::Poison(e.to_string()), taken.attempts))?;
            worker
                .handle(tx, &event)
                .await
                .map_err(|e| Stop::Event(e, taken.attempts))?;
            parked::promote(tx, worker.name, &taken).await?;
            Ok(true)
        })
        .await;
    match applied {
        Ok(applied) => {
            inlet.meters.count(Tally {
                applied: u64::from(applied),
                ..Tally::default()
            });
            Ok(())
        }
        Err(Stop::Storage(error)) => Err(error),
        Err(Stop::Event(HandlerError::Storage(error), _)) if passes(&error) => Err(error),
        Err(Stop::Event(error, attempts)) => note_failure(inlet, id, error, attempts + 1).await,
    }
}

async fn note_failure(
    inlet: &Arc<Inlet>,
    id: Id,
    error: HandlerError,
    attempts: i64,
) -> Result<(), storage::Error> {
    tracing::warn!(consumer = inlet.name, %id, attempts, %error, "a parked event failed again");
    inlet.meters.failures.inc();
    let worker = Arc::clone(inlet);
    let (text, poison) = (error.to_string(), matches!(error, HandlerError::Poison(_)));
    inlet
        .db
        .write(async move |tx: &mut Tx<'_>| {
            let head = worker.retry.head(attempts, poison, tx.now());
            parked::fail(tx, worker.name, id, &text, head).await
        })
        .await
}
