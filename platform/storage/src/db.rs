//! A database of one service: opened by URL, written and read by closures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{ChoiceKnob, Ctx};
use tokio::sync::watch;

use crate::commits::{self, Commits};
use crate::metrics::StorageMetrics;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::work::{Mode, Typed, Work};
use crate::{Dialect, Error, ErrorKind, Faults, OutboxRow, Position, Result, Tx};

/// How a database is opened. Start from [`DbOptions::new`].
#[derive(Clone)]
pub struct DbOptions {
    /// The service's name: the PostgreSQL schema, and the label in metrics. `[a-z][a-z0-9_]*`.
    pub schema: String,
    /// Clock and randomness for ids, leases and the outbox.
    pub ctx: Ctx,
    /// Where metrics go.
    pub metrics: Option<telemetry::Metrics>,
    /// SQLite: how many readers work at once.
    pub readers: usize,
    /// SQLite: how many transactions may wait to be written.
    pub queue_max: usize,
    /// SQLite: how many transactions share one commit at most.
    pub group_max: usize,
    /// PostgreSQL: how many connections there are at most.
    pub connections_max: usize,
    /// PostgreSQL: how long one run of a transaction may take, migrations apart.
    pub transaction_max: Duration,
    /// How long to wait for a connection, or for another process that holds the file.
    pub wait_max: Duration,
    /// What strikes its transactions on purpose.
    pub faults: Faults,
}

impl DbOptions {
    /// The usual settings for the service called `schema`.
    #[must_use]
    pub fn new(schema: impl Into<String>) -> Self {
        let schema = schema.into();
        Self {
            faults: Faults::of(faults::Faults::default(), &schema),
            schema,
            ctx: Ctx::system(),
            metrics: None,
            readers: 2,
            queue_max: 4_096,
            group_max: 512,
            connections_max: 16,
            transaction_max: Duration::from_secs(30),
            wait_max: Duration::from_secs(5),
        }
    }

    /// The same, with this clock and randomness.
    #[must_use]
    pub fn with_ctx(mut self, ctx: Ctx) -> Self {
        self.ctx = ctx;
        self
    }

    /// The same, counted here.
    #[must_use]
    pub fn with_metrics(mut self, metrics: telemetry::Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// The same, struck by these faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    fn check(&self) -> Result<()> {
        let name = self.schema.as_bytes();
        let fine = name.first().is_some_and(u8::is_ascii_lowercase)
            && name.len() <= 48
            && name
                .iter()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'_');
        if fine {
            return Ok(());
        }
        let schema = &self.schema;
        Err(Error::new(
            ErrorKind::Config,
            format!(
                "'{schema}' cannot name a schema; use a-z, 0-9 and _, at most 48, a letter first"
            ),
        ))
    }
}

/// A database. Cheap to clone; clones share its threads and connections.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    shared: Arc<Shared>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

/// What both engines need.
pub(crate) struct Shared {
    pub(crate) options: DbOptions,
    /// Who shares a commit.
    pub(crate) grouping: commits::Chosen,
    pub(crate) commits: watch::Sender<u64>,
    pub(crate) metrics: StorageMetrics,
}

impl Shared {
    /// Wakes who waits for events.
    pub(crate) fn published(&self) {
        self.commits.send_modify(|n| *n = n.wrapping_add(1));
    }
}

impl Db {
    /// Opens `sqlite:///path/file.db`, `sqlite::memory:` or `postgres://user:password@host/database`.
    ///
    /// SQLite makes the file. PostgreSQL is not asked before the first transaction.
    pub async fn open(url: &str, options: DbOptions) -> Result<Self> {
        options.check()?;
        let sqlite = url.strip_prefix("sqlite:");
        if sqlite.is_none() && !url.starts_with("postgres://") && !url.starts_with("postgresql://")
        {
            return Err(Error::new(
                ErrorKind::Config,
                "a store is sqlite:///path/file.db, sqlite::memory: or postgres://user@host/database",
            ));
        }
        let dialect = if sqlite.is_some() {
            Dialect::Sqlite
        } else {
            Dialect::Postgres
        };
        let metrics = StorageMetrics::new(options.metrics.as_ref(), dialect, &options.schema);
        let (commits, _) = watch::channel(0);
        let shared = Arc::new(Shared {
            options,
            grouping: commits::Chosen::default(),
            commits,
            metrics,
        });
        let engine = match sqlite {
            Some(place) => {
                Engine::Sqlite(Arc::new(Sqlite::open(place, Arc::clone(&shared)).await?))
            }
            None => Engine::Postgres(Arc::new(Postgres::open(url, Arc::clone(&shared))?)),
        };
        Ok(Self { engine, shared })
    }

    /// Runs `work` in one transaction: committed if it answers `Ok`, rolled back if `Err`.
    ///
    /// It may be run again, after a rollback, when transactions got in each other's way, so it does
    /// nothing but work on the database. It ends even if the caller no longer waits.
    pub async fn write<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        Typed::<F, R, E>::answer(self.write_work(Typed::work(work)).await?)
    }

    async fn write_work(&self, work: Box<dyn Work>) -> Result<Box<dyn Work>> {
        let _in_flight = self.shared.metrics.in_flight.enter();
        let start = Instant::now();
        let done = self.run(Mode::Write, work).await;
        let metrics = &self.shared.metrics;
        if done.as_ref().is_ok_and(|work| work.is_ok()) {
            metrics.committed.inc()
        } else {
            metrics.rolled_back.inc()
        }
        metrics.write_time.observe(start.elapsed());
        done
    }

    async fn run(&self, mode: Mode, work: Box<dyn Work>) -> Result<Box<dyn Work>> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.run(mode, work).await,
            Engine::Postgres(engine) => engine.run(mode, work).await,
        }
    }

    /// [`Db::write`] without a limit of time, for migrations.
    pub(crate) async fn write_long<R, F>(&self, work: F) -> Result<R>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        Typed::<F, R, Error>::answer(self.run(Mode::WriteLong, Typed::work(work)).await?)
    }

    /// Runs `work` on a snapshot. Nothing can be written.
    pub async fn read<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        Typed::<F, R, E>::answer(self.run(Mode::Read, Typed::work(work)).await?)
    }

    /// Events after `after`, oldest first, at most `limit`. None is ever added behind what was read.
    pub async fn read_outbox(&self, after: Position, limit: u32) -> Result<Vec<OutboxRow>> {
        let upto = match &self.engine {
            Engine::Sqlite(_) => i64::MAX,
            Engine::Postgres(engine) => engine.outbox_bound().await?,
        };
        if upto <= after.0 {
            return Ok(Vec::new());
        }
        self.read(async move |tx| tx.outbox_between(after, upto, limit).await)
            .await
    }

    /// Where to begin in order to read everything that commits from now on, and little before it.
    pub async fn outbox_edge(&self) -> Result<Position> {
        match &self.engine {
            Engine::Sqlite(_) => self.read(async |tx| tx.outbox_end().await).await,
            Engine::Postgres(engine) => engine.outbox_bound().await.map(Position),
        }
    }

    /// Which engine it is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The service's name.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.shared.options.schema
    }

    /// Clock and randomness.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.shared.options.ctx
    }

    /// Changes after each commit of this process that published an event.
    #[must_use]
    pub fn subscribe_commits(&self) -> watch::Receiver<u64> {
        self.shared.commits.subscribe()
    }

    /// From now on `knob` says who shares a commit; it is read before each. SQLite only: on
    /// PostgreSQL each transaction has its own.
    pub fn commit_by(&self, knob: ChoiceKnob<Commits>) {
        self.shared.grouping.by(knob);
    }

    /// What strikes its transactions on purpose.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.shared.options.faults.clone()
    }
}
