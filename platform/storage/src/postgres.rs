//! PostgreSQL: a pool of connections, one schema a service, transactions that are tried again.
//!
//! A closure's future need not be `Send`, so it runs on a small pool of threads that keep it.

mod connect;
mod error;
pub(crate) mod session;
mod value;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Object, Pool, PoolError};
use tokio_util::task::LocalPoolHandle;

use crate::db::Shared;
use crate::tx::Link;
use crate::work::{Mode, Work, panicked};
use crate::{Error, ErrorKind, Result, Tx};
use error::translate;
use session::PgSession;

/// How many threads run closures. The work is done by the server; they only pass it on.
const WORKERS: usize = 2;
/// How often a transaction is run before other transactions win.
const CONFLICTS_MAX: u32 = 12;

/// The connections of one schema.
pub(crate) struct Postgres {
    inner: Arc<Inner>,
    workers: LocalPoolHandle,
}

struct Inner {
    pool: Pool,
    shared: Arc<Shared>,
}

/// How one run of a transaction ended. The work has its answer.
enum Run {
    /// That is what it comes to.
    Done,
    /// Without any effect, and it may go better next time.
    Again(ErrorKind),
}

impl Postgres {
    pub(crate) fn open(url: &str, shared: Arc<Shared>) -> Result<Self> {
        let pool = connect::pool(url, &shared.options)?;
        Ok(Self {
            inner: Arc::new(Inner { pool, shared }),
            workers: LocalPoolHandle::new(WORKERS),
        })
    }

    /// Runs `work` in a transaction; answers it with its answer.
    pub(crate) async fn run(&self, mode: Mode, work: Box<dyn Work>) -> Result<Box<dyn Work>> {
        let inner = Arc::clone(&self.inner);
        let done = self
            .workers
            .spawn_pinned(move || async move { inner.run(mode, work).await });
        done.await.map_err(|_| panicked())
    }

    /// How far an outbox can be read without a gap, in the order that [`crate::OutboxRow`] promises.
    pub(crate) async fn outbox_bound(&self) -> Result<i64> {
        let inner = Arc::clone(&self.inner);
        let done = self
            .workers
            .spawn_pinned(move || async move { inner.outbox_bound().await });
        done.await.unwrap_or_else(|_| Err(panicked()))
    }
}

impl Inner {
    /// Runs the transaction until it has an answer, the conflicts are too many or the time is up.
    async fn run(&self, mode: Mode, mut work: Box<dyn Work>) -> Box<dyn Work> {
        let end = Instant::now() + self.shared.options.wait_max;
        let mut runs = 0;
        loop {
            runs += 1;
            let kind = match self.run_in_time(mode, &mut *work).await {
                Run::Done => return work,
                Run::Again(kind) => kind,
            };
            let conflict = kind == ErrorKind::Serialization;
            if (conflict && runs >= CONFLICTS_MAX) || Instant::now() >= end {
                return work;
            }
            self.shared.metrics.retried.inc();
            let most = if conflict {
                2_000 << runs.min(6)
            } else {
                10_000 << runs.min(5)
            };
            let jitter = self.shared.options.ctx.random.below(most);
            tokio::time::sleep(Duration::from_micros(most / 4 + jitter)).await;
        }
    }

    /// A server that hangs, or a long wait for a row, ends with an error and a closed connection.
    async fn run_in_time(&self, mode: Mode, work: &mut dyn Work) -> Run {
        let committing = Cell::new(false);
        let run = self.run_once(mode, work, &committing);
        if mode == Mode::WriteLong {
            return run.await;
        }
        let limit = self.shared.options.transaction_max;
        if let Ok(run) = tokio::time::timeout(limit, run).await {
            return run;
        }
        let (kind, what) = match committing.get() && mode == Mode::Write {
            true => (
                ErrorKind::CommitUnknown,
                "committing, which may have succeeded",
            ),
            false => (ErrorKind::Timeout, "running, and was rolled back"),
        };
        let message = format!("after {limit:?} a transaction was still {what}");
        work.fail(Error::new(kind, message));
        Run::Done
    }

    async fn run_once(&self, mode: Mode, work: &mut dyn Work, committing: &Cell<bool>) -> Run {
        let session = match self.connection().await {
            Ok(client) => PgSession::new(client, mode == Mode::Read),
            Err(error) => return failed(work, error),
        };
        if mode == Mode::Read {
            for hit in self.shared.options.faults.slow_reads() {
                hit.hold_up().await;
            }
        }
        let mut tx = Tx::new(Link::Postgres(&session), &self.shared.options.ctx);
        let fine = work.run(&mut tx).await;
        let published = tx.published;
        if let Some(kind) = tx.failed.take() {
            session.rollback().await;
            if fine {
                work.fail(swallowed(&kind));
            }
            return again_if_transient(kind);
        }
        if !fine {
            session.rollback().await;
            return Run::Done;
        }
        if mode != Mode::Read
            && let Err(error) = self.faults().await
        {
            session.rollback().await;
            work.fail(error);
            return Run::Done;
        }
        let start = Instant::now();
        committing.set(true);
        let committed = session.commit().await;
        if mode != Mode::Read {
            self.shared.metrics.commits.inc();
            self.shared.metrics.commit_time.observe(start.elapsed());
        }
        match committed {
            Ok(()) => {
                if published {
                    self.shared.published();
                }
                Run::Done
            }
            Err(error) => failed(work, error),
        }
    }

    async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => translate(&error),
            PoolError::Timeout(_) => Error::new(
                ErrorKind::Busy,
                "all connections to the database are in use; try again later",
            ),
            other => Error::new(ErrorKind::Unavailable, format!("no connection: {other}")),
        })
    }

    async fn faults(&self) -> Result<()> {
        let faults = &self.shared.options.faults;
        for hit in faults.slow_commits() {
            hit.hold_up().await;
        }
        faults.before_commit()
    }

    async fn outbox_bound(&self) -> Result<i64> {
        let client = self.connection().await?;
        session::outbox_bound(&client)
            .await
            .map_err(|error| translate(&error))
    }
}

/// The work ends with `error`, at least this run of it.
fn failed(work: &mut dyn Work, error: Error) -> Run {
    let kind = error.kind().clone();
    work.fail(error);
    again_if_transient(kind)
}

fn again_if_transient(kind: ErrorKind) -> Run {
    match kind {
        ErrorKind::Serialization | ErrorKind::Unavailable => Run::Again(kind),
        _ => Run::Done,
    }
}

fn swallowed(kind: &ErrorKind) -> Error {
    Error::new(
        ErrorKind::Aborted,
        format!(
            "a statement failed ({kind:?}) and the closure did not return its error; rolled back"
        ),
    )
}
