//! Where __name__ are kept: SQL that runs on both engines.

use contracts::__name__::__Item__;
use kernel::Id;
use storage::{Db, Migration, OutboxEvent, Result, Row, Sql, Tx};
use telemetry::TraceContext;

use crate::domain::Order;

/// The schema, step by step.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "init",
    sqlite: include_str!("store/migrations/sqlite/0001_init.sql"),
    postgres: include_str!("store/migrations/postgres/0001_init.sql"),
}];

storage::statements! {
    pub STATEMENTS;
    INSERT = Sql::both("INSERT INTO __name__ (id, name, created_at) VALUES ($1, $2, $3)");
    GET = Sql::both("SELECT id, name, created_at FROM __name__ WHERE id = $1");
    // Ids sort by the time they were made, so the primary key is the order of the list.
    NEWEST = Sql::both(
        "SELECT id, name, created_at FROM __name__ WHERE id < $1 ORDER BY id DESC LIMIT $2",
    );
    OLDEST = Sql::both(
        "SELECT id, name, created_at FROM __name__ WHERE id > $1 ORDER BY id LIMIT $2",
    );
    COUNT = Sql::both("SELECT count FROM tally WHERE id = 1");
    TALLY = Sql::both("UPDATE tally SET count = count + 1 WHERE id = 1");
}

/// A request that takes effect once, however often it is sent.
#[derive(Debug, Clone)]
pub(crate) struct OnceKey {
    /// Who asks for what: keys of different callers do not meet.
    pub(crate) scope: String,
    /// The key.
    pub(crate) key: String,
    /// What was asked.
    pub(crate) fingerprint: [u8; 32],
}

/// What a change comes with.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its idempotency key, if it has one.
    pub(crate) once: Option<OnceKey>,
    /// The span that it belongs to.
    pub(crate) trace: TraceContext,
}

/// The store.
#[derive(Clone)]
pub(crate) struct Store(pub(crate) Db);

impl Store {
    /// Keeps a new one and tells of it by `event`, in one transaction.
    pub(crate) async fn insert(
        &self,
        made: __Item__,
        event: OutboxEvent,
        asked: Asked,
    ) -> Result<__Item__> {
        self.0
            .write(async move |tx: &mut Tx<'_>| {
                tx.caused_by(asked.trace);
                match &asked.once {
                    None => insert(tx, &made, &event).await,
                    Some(once) => {
                        let OnceKey { scope, key, fingerprint } = once;
                        let work = async |tx: &mut Tx<'_>| insert(tx, &made, &event).await;
                        Ok(tx.once(scope, key, fingerprint, work).await?.value)
                    }
                }
            })
            .await
    }

    /// One by its id.
    pub(crate) async fn get(&self, id: Id) -> Result<Option<__Item__>> {
        self.0
            .read(async move |tx: &mut Tx<'_>| {
                tx.query_opt(&GET, &[&id]).await?.as_ref().map(row).transpose()
            })
            .await
    }

    /// Up to `rows` of them after `after`.
    pub(crate) async fn page(&self, order: Order, after: Option<Id>, rows: u32) -> Result<Vec<__Item__>> {
        self.0
            .read(async move |tx: &mut Tx<'_>| {
                let (sql, start) = match order {
                    // Every id sorts before this character.
                    Order::Newest => (&NEWEST, "~"),
                    Order::Oldest => (&OLDEST, ""),
                };
                let after = after.map_or_else(|| start.to_owned(), |id| id.to_string());
                tx.query(sql, &[&after, &rows]).await?.iter().map(row).collect()
            })
            .await
    }

    /// How many events of new ones were heard.
    pub(crate) async fn count(&self) -> Result<u64> {
        let count = async |tx: &mut Tx<'_>| tx.query_one(&COUNT, &[]).await?.get::<i64>(0);
        Ok(self.0.read(count).await?.unsigned_abs())
    }
}

/// Counts one more, in the transaction of the event that told of it.
pub(crate) async fn tally(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute(&TALLY, &[]).await.map(drop)
}

async fn insert(tx: &mut Tx<'_>, made: &__Item__, event: &OutboxEvent) -> Result<__Item__> {
    tx.execute(&INSERT, &[&made.id, &made.name, &made.created_at]).await?;
    tx.publish(event).await?;
    Ok(made.clone())
}

fn row(row: &Row) -> Result<__Item__> {
    Ok(__Item__ { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)? })
}
