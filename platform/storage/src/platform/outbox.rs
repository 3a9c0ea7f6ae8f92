//! The outbox: a ledger of events that are committed with the data they speak of.
//!
//! It is read in an order in which no event appears before one that it was caused by, and in which
//! nothing appears later behind the reader. On SQLite, one writer makes sequence order commit order.
//! On PostgreSQL a transaction may commit after one with a higher number, so a publisher first
//! announces, by a shared advisory lock, the number that all its own will be above; a reader stops at
//! the lowest number announced. (Reading below `pg_snapshot_xmin` instead would wait for every long
//! transaction of the whole cluster, and can put two events of one key in the wrong order, because
//! transaction ids are given before row locks are.)

use kernel::{Id, Timestamp};

use crate::tx::{Link, Text};
use crate::{Error, ErrorKind, Position, Result, Row, Sql, Tx};

/// The largest event that can be published, in bytes of its payload. Every carrier has room for it.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;
/// The longest topic, key or kind of an event, in bytes.
pub const EVENT_NAME_BYTES_MAX: usize = 1_024;

/// An event to be published with the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutboxEvent {
    /// The topic, such as `links`.
    pub topic: String,
    /// Events with the same key are delivered in order.
    pub key: String,
    /// What happened, such as `link_created`.
    pub kind: String,
    /// The event itself, as JSON.
    pub payload: Vec<u8>,
}

/// An event as it stands in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: Id,
    /// The topic.
    pub topic: String,
    /// The key.
    pub key: String,
    /// What happened.
    pub kind: String,
    /// The event itself.
    pub payload: Vec<u8>,
    /// The `traceparent` of the request that caused it.
    pub trace: Option<String>,
    /// When it was published.
    pub at: Timestamp,
}

const PUBLISH: Sql = Sql::of(
    "INSERT INTO platform_outbox (id, topic, key, kind, payload, trace, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
    "INSERT INTO platform_outbox (seq, id, topic, key, kind, payload, trace, created_at)
     VALUES (nextval('platform_outbox_seq'), $1, $2, $3, $4, $5, $6, $7)",
);
const READ: Sql = Sql::both(
    "SELECT seq, id, topic, key, kind, payload, trace, created_at FROM platform_outbox
     WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
);
/// Looks at no more than the limit. The newest row stays, so that SQLite cannot give its number again.
const PRUNE: Sql = Sql::both(
    "DELETE FROM platform_outbox WHERE seq IN (
       SELECT seq FROM (
         SELECT seq, created_at FROM platform_outbox
         WHERE seq <= $2 AND seq < (SELECT max(seq) FROM platform_outbox)
         ORDER BY seq LIMIT $3) AS oldest
       WHERE created_at < $1)",
);
const LAST: Sql = Sql::both("SELECT max(seq) FROM platform_outbox");
const BEHIND: Sql = Sql::both(
    "SELECT count(*), min(created_at) FROM (
       SELECT created_at FROM platform_outbox WHERE seq > $1 ORDER BY seq LIMIT $2) AS waiting",
);

/// Announces, until the transaction ends, that its events will stand after the number given last.
/// The two halves of the lock's key are the table's oid and the low 31 bits of the number.
pub(crate) const ANNOUNCE: &str = "SELECT pg_advisory_xact_lock_shared(
    CAST((CAST(CAST('platform_outbox' AS regclass) AS oid)::bigint + 2147483648) % 4294967296
      - 2147483648 AS int4),
    CAST((CASE WHEN is_called THEN last_value ELSE 0 END) & 2147483647 AS int4))
    FROM platform_outbox_seq";
/// The number given last. Read before [`ANNOUNCED`], so that whoever announces later stands after it.
pub(crate) const GIVEN: &str =
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM platform_outbox_seq";
/// How far below `$1` the lowest number lies that a transaction has announced. One that announced a
/// number above `$1`, after it was read, seems to lie very far below, and holds nobody up.
pub(crate) const ANNOUNCED: &str = "SELECT max(CASE WHEN below < 1073741824 THEN below ELSE 0 END)
    FROM (SELECT ($1::bigint - objid::bigint) & 2147483647 AS below
      FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
        AND classid = CAST('platform_outbox' AS regclass)::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS announced";

impl OutboxEvent {
    fn check(&self) -> Result<()> {
        let parts = [
            ("payload", self.payload.len(), EVENT_BYTES_MAX),
            ("topic", self.topic.len(), EVENT_NAME_BYTES_MAX),
            ("key", self.key.len(), EVENT_NAME_BYTES_MAX),
            ("kind", self.kind.len(), EVENT_NAME_BYTES_MAX),
        ];
        for (part, has, most) in parts {
            if has > most {
                let (topic, kind) = (head(&self.topic), head(&self.kind));
                return Err(Error::new(
                    ErrorKind::CheckViolation,
                    format!(
                        "the {part} of event '{kind}' of topic '{topic}' has {has} bytes, at most \
                         {most}; publish a reference to what is larger"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Enough of a name to know it.
fn head(name: &str) -> String {
    name.chars().take(64).collect()
}

impl Tx<'_> {
    /// Publishes an event when, and only when, this transaction commits.
    ///
    /// Change the data first: the order of events of one key is that of the locks taken before.
    /// An event that no carrier has room for fails with [`ErrorKind::CheckViolation`].
    pub async fn publish(&mut self, event: &OutboxEvent) -> Result<Id> {
        let fits = event.check();
        self.note(fits)?;
        let id = self.ctx().new_id();
        let now = self.now();
        self.announce().await?;
        let OutboxEvent {
            topic,
            key,
            kind,
            payload,
        } = event;
        let trace = self.trace.is_some().then(|| self.trace.header_value());
        self.execute(&PUBLISH, &[&id, topic, key, kind, payload, &trace, &now])
            .await?;
        Ok(id)
    }

    async fn announce(&mut self) -> Result<()> {
        let first = !std::mem::replace(&mut self.published, true);
        if first && matches!(self.link, Link::Postgres(_)) {
            self.run(Text::Static(ANNOUNCE), &[]).await?;
        }
        Ok(())
    }

    /// Rows after `after` and not after `upto`.
    pub(crate) async fn outbox_between(
        &mut self,
        after: Position,
        upto: i64,
        limit: u32,
    ) -> Result<Vec<OutboxRow>> {
        let rows = self.query(&READ, &[&after.0, &upto, &limit]).await?;
        rows.iter().map(read).collect()
    }

    /// Deletes, of the first `limit` events, those that are older than `before` and not after `upto`.
    /// It answers how many: if it is `limit`, there may be more.
    pub async fn prune_outbox(
        &mut self,
        before: Timestamp,
        upto: Position,
        limit: u32,
    ) -> Result<u64> {
        self.execute(&PRUNE, &[&before, &upto.0, &limit]).await
    }

    /// Where the newest event that this transaction sees stands.
    pub async fn outbox_end(&mut self) -> Result<Position> {
        let last: Option<i64> = self.query_one(&LAST, &[]).await?.get(0)?;
        Ok(Position(last.unwrap_or(0)))
    }

    /// How many events stand after `after`, counted up to `limit`, and when the oldest was published.
    pub async fn outbox_lag(
        &mut self,
        after: Position,
        limit: u32,
    ) -> Result<(i64, Option<Timestamp>)> {
        let row = self.query_one(&BEHIND, &[&after.0, &limit]).await?;
        Ok((row.get(0)?, row.get(1)?))
    }
}

fn read(row: &Row) -> Result<OutboxRow> {
    Ok(OutboxRow {
        position: Position(row.get(0)?),
        id: row.get(1)?,
        topic: row.get(2)?,
        key: row.get(3)?,
        kind: row.get(4)?,
        payload: row.get(5)?,
        trace: row.get(6)?,
        at: row.get(7)?,
    })
}
