//! One transaction, as a closure sees it.

use kernel::{Ctx, Timestamp};
use telemetry::TraceContext;

use crate::postgres::session::PgSession;
use crate::sqlite::session::Session;
use crate::{Dialect, Error, ErrorKind, Result, Row, Sql, SqlBuilder, ToParam, Value};

/// A transaction that is open. It commits when the closure that was given it answers `Ok`.
///
/// After a failed statement every further one fails, on both engines, and the transaction is rolled
/// back whatever the closure answers: use `ON CONFLICT` where a conflict is expected.
pub struct Tx<'a> {
    pub(crate) link: Link<'a>,
    pub(crate) ctx: &'a Ctx,
    pub(crate) now: Timestamp,
    pub(crate) published: bool,
    pub(crate) failed: Option<ErrorKind>,
    pub(crate) trace: TraceContext,
}

/// The connection of a transaction.
#[derive(Clone, Copy)]
pub(crate) enum Link<'a> {
    Sqlite(&'a dyn Session),
    Postgres(&'a PgSession),
}

/// The text of a statement, and whether it is one of the program's own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Text<'t> {
    Static(&'static str),
    Dynamic(&'t str),
}

impl<'t> Text<'t> {
    pub(crate) const fn as_str(self) -> &'t str {
        match self {
            Self::Static(text) => text,
            Self::Dynamic(text) => text,
        }
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(link: Link<'a>, ctx: &'a Ctx) -> Self {
        Self {
            link,
            ctx,
            now: ctx.now(),
            published: false,
            failed: None,
            trace: TraceContext::NONE,
        }
    }

    /// Says which span this transaction belongs to: its events carry it to their consumers.
    pub const fn caused_by(&mut self, trace: TraceContext) {
        self.trace = trace;
    }

    /// Which engine it runs on.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self.link {
            Link::Sqlite(_) => Dialect::Sqlite,
            Link::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The moment at which the transaction began, from the database's clock seam.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Clock and randomness.
    #[must_use]
    pub const fn ctx(&self) -> &'a Ctx {
        self.ctx
    }

    /// Runs a statement; answers how many rows it changed.
    pub async fn execute(&mut self, sql: &Sql, params: &[&dyn ToParam]) -> Result<u64> {
        self.run(Text::Static(sql.text(self.dialect())), params)
            .await
    }

    /// Runs a statement; answers every row.
    pub async fn query(&mut self, sql: &Sql, params: &[&dyn ToParam]) -> Result<Vec<Row>> {
        self.fetch(Text::Static(sql.text(self.dialect())), params, usize::MAX)
            .await
    }

    /// Runs a statement; answers the first row, if there is one.
    pub async fn query_opt(&mut self, sql: &Sql, params: &[&dyn ToParam]) -> Result<Option<Row>> {
        Ok(self
            .fetch(Text::Static(sql.text(self.dialect())), params, 1)
            .await?
            .pop())
    }

    /// Runs a statement; answers the first row. Fails with [`ErrorKind::NoRow`] when there is none.
    pub async fn query_one(&mut self, sql: &Sql, params: &[&dyn ToParam]) -> Result<Row> {
        let row = self.query_opt(sql, params).await?;
        row.ok_or_else(|| Error::new(ErrorKind::NoRow, "expected a row, found none"))
    }

    /// Runs a statement whose text depends on the request; answers every row.
    pub async fn query_dyn(&mut self, text: &str, params: &[&dyn ToParam]) -> Result<Vec<Row>> {
        self.fetch(Text::Dynamic(text), params, usize::MAX).await
    }

    /// Runs a statement whose text depends on the request; answers how many rows it changed.
    pub async fn execute_dyn(&mut self, text: &str, params: &[&dyn ToParam]) -> Result<u64> {
        self.run(Text::Dynamic(text), params).await
    }

    /// Runs what was built; answers every row.
    pub async fn query_built(&mut self, sql: &SqlBuilder) -> Result<Vec<Row>> {
        self.query_dyn(sql.text(), &by_ref(sql.params())).await
    }

    /// Runs what was built; answers how many rows it changed.
    pub async fn execute_built(&mut self, sql: &SqlBuilder) -> Result<u64> {
        self.execute_dyn(sql.text(), &by_ref(sql.params())).await
    }

    /// Runs one statement for each row of parameters; answers how many rows were changed in all.
    /// On PostgreSQL the statements travel together.
    pub async fn execute_many<P>(&mut self, sql: &Sql, rows: &[P]) -> Result<u64>
    where
        P: AsRef<[Value]>,
    {
        let text = sql.text(self.dialect());
        self.check()?;
        let done = match self.link {
            Link::Sqlite(session) => rows.iter().try_fold(0, |sum, row| {
                let params = by_ref(row.as_ref());
                Ok(sum + session.execute(Text::Static(text), &params)?)
            }),
            Link::Postgres(session) => session.execute_many(text, rows).await,
        };
        self.note(done)
    }

    /// Runs one statement for each row of parameters; answers the first row of each, if there is
    /// one, in their order. On PostgreSQL the statements travel together.
    pub async fn query_many<P>(&mut self, sql: &Sql, rows: &[P]) -> Result<Vec<Option<Row>>>
    where
        P: AsRef<[Value]>,
    {
        let text = sql.text(self.dialect());
        self.check()?;
        let done = match self.link {
            Link::Sqlite(session) => rows
                .iter()
                .map(|row| session.query(Text::Static(text), &by_ref(row.as_ref()), 1))
                .map(|found| found.map(|mut rows| rows.pop()))
                .collect(),
            Link::Postgres(session) => session.query_many(text, rows).await,
        };
        self.note(done)
    }

    pub(crate) async fn run(&mut self, text: Text<'_>, params: &[&dyn ToParam]) -> Result<u64> {
        self.check()?;
        let done = match self.link {
            Link::Sqlite(session) => session.execute(text, params),
            Link::Postgres(session) => session.execute(text, params).await,
        };
        self.note(done)
    }

    pub(crate) async fn fetch(
        &mut self,
        text: Text<'_>,
        params: &[&dyn ToParam],
        rows_max: usize,
    ) -> Result<Vec<Row>> {
        self.check()?;
        let done = match self.link {
            Link::Sqlite(session) => session.query(text, params, rows_max),
            Link::Postgres(session) => session.query(text, params, rows_max).await,
        };
        self.note(done)
    }

    /// Runs several statements without parameters, such as a migration.
    pub(crate) async fn batch(&mut self, text: &str) -> Result<()> {
        self.check()?;
        let done = match self.link {
            Link::Sqlite(session) => session.batch(text),
            Link::Postgres(session) => session.batch(text).await,
        };
        self.note(done)
    }

    /// Fails if an earlier statement did.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.failed {
            None => Ok(()),
            Some(kind) => Err(Error::new(
                ErrorKind::Aborted,
                format!(
                    "an earlier statement of this transaction failed ({kind:?}); return its error"
                ),
            )),
        }
    }

    pub(crate) fn note<T>(&mut self, done: Result<T>) -> Result<T> {
        if let Err(error) = &done {
            self.failed.get_or_insert_with(|| error.kind().clone());
        }
        done
    }
}

fn by_ref(values: &[Value]) -> Vec<&dyn ToParam> {
    values.iter().map(|value| value as &dyn ToParam).collect()
}
