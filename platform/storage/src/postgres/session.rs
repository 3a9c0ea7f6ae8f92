//! Statements of one transaction on a PostgreSQL connection.

use std::cell::{Cell, RefCell};

use deadpool_postgres::Object;
use futures_util::future::try_join_all;
use tokio_postgres::types::ToSql;

use super::error::translate;
use super::value::{Bound, read};
use crate::platform::outbox::{ANNOUNCED, GIVEN};
use crate::tx::Text;
use crate::{Error, ErrorKind, Result, Row, ToParam, Value};

/// How many statements are under way at once.
const PIPELINE_MAX: usize = 256;
/// How many statements a connection keeps prepared; beyond, it starts anew.
const STATEMENTS_MAX: usize = 512;

/// A connection within a transaction. It goes back to the pool only after commit or rollback.
pub(crate) struct PgSession {
    client: RefCell<Option<Object>>,
    begun: Cell<bool>,
    read_only: bool,
}

impl Drop for PgSession {
    fn drop(&mut self) {
        // Left in the middle, by a panic: the connection is closed and not used again.
        if let Some(client) = self.client.take()
            && self.begun.get()
        {
            drop(Object::take(client));
        }
    }
}

impl PgSession {
    pub(crate) fn new(client: Object, read_only: bool) -> Self {
        Self {
            client: RefCell::new(Some(client)),
            begun: Cell::new(false),
            read_only,
        }
    }

    pub(crate) async fn execute(&self, text: Text<'_>, params: &[&dyn ToParam]) -> Result<u64> {
        let run = async |client: &Object| {
            let statement = prepare(client, text).await?;
            let bound = bind(params);
            client.execute(&statement, &by_ref(&bound)).await
        };
        self.with(run).await
    }

    pub(crate) async fn query(
        &self,
        text: Text<'_>,
        params: &[&dyn ToParam],
        rows_max: usize,
    ) -> Result<Vec<Row>> {
        let run = async |client: &Object| {
            let statement = prepare(client, text).await?;
            let bound = bind(params);
            let rows = client.query(&statement, &by_ref(&bound)).await?;
            rows.iter().take(rows_max).map(read).collect()
        };
        self.with(run).await
    }

    pub(crate) async fn execute_many<P>(&self, text: &'static str, rows: &[P]) -> Result<u64>
    where
        P: AsRef<[Value]>,
    {
        let run = async |client: &Object| {
            let statement = &prepare(client, Text::Static(text)).await?;
            let mut changed = 0;
            for chunk in rows.chunks(PIPELINE_MAX) {
                let all = chunk.iter().map(|row| async move {
                    let bound = bind_all(row.as_ref());
                    client.execute(statement, &by_ref(&bound)).await
                });
                changed += try_join_all(all).await?.iter().sum::<u64>();
            }
            Ok(changed)
        };
        self.with(run).await
    }

    pub(crate) async fn query_many<P>(
        &self,
        text: &'static str,
        rows: &[P],
    ) -> Result<Vec<Option<Row>>>
    where
        P: AsRef<[Value]>,
    {
        let run = async |client: &Object| {
            let statement = &prepare(client, Text::Static(text)).await?;
            let mut found = Vec::with_capacity(rows.len());
            for chunk in rows.chunks(PIPELINE_MAX) {
                let all = chunk.iter().map(|row| async move {
                    let bound = bind_all(row.as_ref());
                    let rows = client.query(statement, &by_ref(&bound)).await?;
                    rows.first().map(read).transpose()
                });
                found.extend(try_join_all(all).await?);
            }
            Ok(found)
        };
        self.with(run).await
    }

    pub(crate) async fn batch(&self, text: &str) -> Result<()> {
        self.with(async |client: &Object| client.batch_execute(text).await)
            .await
    }

    pub(crate) async fn prepare(&self, text: &str) -> Result<()> {
        self.with(async |client: &Object| client.prepare(text).await.map(drop))
            .await
    }

    /// Runs a statement. The first one travels together with `BEGIN`.
    async fn with<T>(
        &self,
        run: impl AsyncFnOnce(&Object) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        let client = self.client.take().ok_or_else(ended)?;
        // Kept here while the statement runs, so that a panic or a dropped future closes it.
        let held = Held {
            client: Some(client),
            home: self,
        };
        let client = held.client.as_ref().ok_or_else(ended)?;
        let done = if self.begun.replace(true) {
            run(client).await
        } else {
            let begin = if self.read_only {
                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            } else {
                "BEGIN"
            };
            let (begun, done) = futures_util::join!(client.batch_execute(begin), run(client));
            begun.and(done)
        };
        if done
            .as_ref()
            .is_err_and(|e| e.as_db_error().is_some_and(|e| e.code().code() == "0A000"))
        {
            client.statement_cache.clear();
        }
        done.map_err(|error| translate(&error))
    }

    /// Commits. If the connection breaks meanwhile, nobody knows whether it did.
    pub(crate) async fn commit(&self) -> Result<()> {
        let mut last = Last(Some(self.client.take().ok_or_else(ended)?));
        if !self.begun.replace(false) {
            last.give_back();
            return Ok(());
        }
        let error = match last.run("COMMIT").await {
            Ok(()) => {
                last.give_back();
                return Ok(());
            }
            Err(error) => translate(&error),
        };
        let unknown = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Internal);
        if !unknown || self.read_only {
            return Err(error);
        }
        Err(Error::new(
            ErrorKind::CommitUnknown,
            format!("the connection broke while committing, which may have succeeded: {error}"),
        ))
    }

    /// Rolls back; a connection that cannot is closed.
    pub(crate) async fn rollback(&self) {
        let mut last = Last(self.client.take());
        if !self.begun.replace(false) || last.run("ROLLBACK").await.is_ok() {
            last.give_back();
        }
    }
}

/// A connection in the last statement of its transaction. It is closed unless it is given back.
struct Last(Option<Object>);

impl Last {
    async fn run(&self, text: &str) -> Result<(), tokio_postgres::Error> {
        match &self.0 {
            Some(client) => client.batch_execute(text).await,
            None => Ok(()),
        }
    }

    fn give_back(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

/// Puts the connection back into its session, however the statement ends.
struct Held<'a> {
    client: Option<Object>,
    home: &'a PgSession,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.home.client.replace(self.client.take());
    }
}

async fn prepare(
    client: &Object,
    text: Text<'_>,
) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
    if client.statement_cache.size() >= STATEMENTS_MAX {
        client.statement_cache.clear();
    }
    client.prepare_cached(text.as_str()).await
}

fn bind<'a>(params: &'a [&'a dyn ToParam]) -> Vec<Bound<'a>> {
    params.iter().map(|param| Bound(param.to_param())).collect()
}

fn bind_all(values: &[Value]) -> Vec<Bound<'_>> {
    let params = values.iter().map(ToParam::to_param);
    params.map(Bound).collect()
}

fn by_ref<'a>(bound: &'a [Bound<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    bound
        .iter()
        .map(|param| param as &(dyn ToSql + Sync))
        .collect()
}

fn ended() -> Error {
    Error::new(ErrorKind::Internal, "the transaction has ended")
}

/// The number up to which an outbox has no gap that can still be filled.
///
/// The order of the three matters: the number given last, then who is still at work, and only after
/// both, in another statement, the rows.
pub(crate) async fn outbox_bound(client: &Object) -> Result<i64, tokio_postgres::Error> {
    let given = client.prepare_cached(GIVEN).await?;
    let announced = client.prepare_cached(ANNOUNCED).await?;
    let last: i64 = client.query_one(&given, &[]).await?.get(0);
    let below: Option<i64> = client.query_one(&announced, &[&last]).await?.get(0);
    Ok(last - below.unwrap_or(0))
}
