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

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
    /// A write without a limit of time.
    WriteLong,
}

/// How one run of a transaction ended.
enum Run<R, E> {
    /// With an answer.
    Done(Result<R, E>),
    /// Without any effect, and it may go better next time.
    Again(E, ErrorKind),
}

impl Postgres {
    pub(crate) fn open(url: &str, shared: Arc<Shared>) -> Result<Self> {
        let pool = connect::pool(url, &shared.options)?;
        Ok(Self {
            inner: Arc::new(Inner { pool, shared }),
            workers: LocalPoolHandle::new(WORKERS),
        })
    }

    pub(crate) async fn write<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.run(Mode::Write, work).await
    }

    pub(crate) async fn write_long<R, F>(&self, work: F) -> Result<R>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        self.run(Mode::WriteLong, work).await
    }

    pub(crate) async fn read<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.run(Mode::Read, work).await
    }

    async fn run<R, E, F>(&self, mode: Mode, work: F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let done = self
            .workers
            .spawn_pinned(move || async move { inner.run(mode, &work).await });
        done.await
            .unwrap_or_else(|_| Err(E::from(crate::sqlite::panicked())))
    }

    /// How far an outbox can be read without a gap, in the order that [`crate::OutboxRow`] promises.
    pub(crate) async fn outbox_bound(&self) -> Result<i64> {
        let inner = Arc::clone(&self.inner);
        let done = self
            .workers
            .spawn_pinned(move || async move { inner.outbox_bound().await });
        done.await
            .unwrap_or_else(|_| Err(crate::sqlite::panicked()))
    }
}

impl Inner {
    /// Runs the transaction until it has an answer, the conflicts are too many or the time is up.
    async fn run<R, E, F>(&self, mode: Mode, work: &F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E>,
        E: From<Error>,
    {
        let end = Instant::now() + self.shared.options.wait_max;
        let mut runs = 0;
        loop {
            runs += 1;
            let (error, kind) = match self.run_in_time(mode, work).await {
                Run::Done(answer) => return answer,
                Run::Again(error, kind) => (error, kind),
            };
            let conflict = kind == ErrorKind::Serialization;
            if (conflict && runs >= CONFLICTS_MAX) || Instant::now() >= end {
                return Err(error);
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
    async fn run_in_time<R, E, F>(&self, mode: Mode, work: &F) -> Run<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E>,
        E: From<Error>,
    {
        let committing = Cell::new(false);
        let run = self.run_once(mode, work, &committing);
        if mode == Mode::WriteLong {
            return run.await;
        }
        let limit = self.shared.options.transaction_max;
        tokio::time::timeout(limit, run).await.unwrap_or_else(|_| {
            let (kind, what) = match committing.get() && mode == Mode::Write {
                true => (
                    ErrorKind::CommitUnknown,
                    "committing, which may have succeeded",
                ),
                false => (ErrorKind::Timeout, "running, and was rolled back"),
            };
            let message = format!("after {limit:?} a transaction was still {what}");
            Run::Done(Err(Error::new(kind, message).into()))
        })
    }

    async fn run_once<R, E, F>(&self, mode: Mode, work: &F, committing: &Cell<bool>) -> Run<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E>,
        E: From<Error>,
    {
        let session = match self.connection().await {
            Ok(client) => PgSession::new(client, mode == Mode::Read),
            Err(error) => return again(error),
        };
        if mode == Mode::Read {
            for hit in self.shared.options.faults.slow_reads() {
                hit.hold_up().await;
            }
        }
        let mut tx = Tx::new(Link::Postgres(&session), &self.shared.options.ctx);
        let answer = work(&mut tx).await;
        let (failed, published) = (tx.failed.clone(), tx.published);
        let value = match (answer, failed) {
            (Ok(value), None) => value,
            (answer, Some(kind)) => {
                session.rollback().await;
                let error = match answer {
                    Err(error) => error,
                    Ok(_) => E::from(swallowed(&kind)),
                };
                return if is_transient(&kind) {
                    Run::Again(error, kind)
                } else {
                    Run::Done(Err(error))
                };
            }
            (Err(error), None) => {
                session.rollback().await;
                return Run::Done(Err(error));
            }
        };
        if mode != Mode::Read
            && let Err(error) = self.faults().await
        {
            session.rollback().await;
            return Run::Done(Err(error.into()));
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
                Run::Done(Ok(value))
            }
            Err(error) if is_transient(error.kind()) => again(error),
            Err(error) => Run::Done(Err(error.into())),
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

fn again<R, E: From<Error>>(error: Error) -> Run<R, E> {
    let kind = error.kind().clone();
    if is_transient(&kind) {
        Run::Again(error.into(), kind)
    } else {
        Run::Done(Err(error.into()))
    }
}

const fn is_transient(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Serialization | ErrorKind::Unavailable)
}

fn swallowed(kind: &ErrorKind) -> Error {
    Error::new(
        ErrorKind::Aborted,
        format!(
            "a statement failed ({kind:?}) and the closure did not return its error; rolled back"
        ),
    )
}
