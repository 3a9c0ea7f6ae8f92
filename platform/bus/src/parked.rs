//! Events that a consumer could not apply yet, in the consumer's own database.
//!
//! A failed event parks its key: what comes after it with the same key waits behind it, so the order
//! within a key holds, and every other key goes on. The head of a parked key is tried again with a
//! growing pause; after too many attempts it is a dead letter and waits for a person.

use std::collections::HashSet;

use kernel::{Id, Timestamp};
use storage::{Result, Row, Sql, SqlBuilder, Tx};

use crate::Event;

/// States: `retry` and `dead` are heads, one at most per consumer and scope; `behind` waits for one.
const PARK: Sql = Sql::both(
    "INSERT INTO bus_parked (consumer, event_id, scope, seq, event, state, attempts, error, due_at,
       parked_at, behind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
);
/// Counts one more behind the head, and locks it, so that it cannot be released meanwhile.
const MORE: Sql = Sql::both(
    "UPDATE bus_parked SET behind = behind + 1
     WHERE consumer = $1 AND scope = $2 AND state <> 'behind'",
);
const DUE: Sql = Sql::both(
    "SELECT event_id FROM bus_parked WHERE consumer = $1 AND state = 'retry' AND due_at <= $2
     ORDER BY due_at LIMIT $3",
);
const NEXT_DUE: Sql =
    Sql::both("SELECT min(due_at) FROM bus_parked WHERE consumer = $1 AND state = 'retry'");
const HEAD: Sql = Sql::both(
    "SELECT event_id FROM bus_parked WHERE consumer = $1 AND scope = $2 AND state <> 'behind'",
);
const TAKE: Sql = Sql::both(
    "DELETE FROM bus_parked WHERE consumer = $1 AND event_id = $2 AND state = 'retry'
     RETURNING event, scope, behind, attempts, state",
);
const DROP: Sql = Sql::both(
    "DELETE FROM bus_parked WHERE consumer = $1 AND event_id = $2
     RETURNING event, scope, behind, attempts, state",
);
const PROMOTE: Sql = Sql::both(
    "UPDATE bus_parked SET state = 'retry', due_at = $3, behind = $4
     WHERE consumer = $1 AND event_id = (
       SELECT event_id FROM bus_parked WHERE consumer = $1 AND scope = $2 AND state = 'behind'
       ORDER BY seq LIMIT 1)",
);
const LESS: Sql = Sql::both(
    "UPDATE bus_parked SET behind = behind - 1
     WHERE consumer = $1 AND scope = $2 AND state <> 'behind'",
);
const FAIL: Sql = Sql::both(
    "UPDATE bus_parked SET attempts = attempts + 1, error = $3, state = $4, due_at = $5
     WHERE consumer = $1 AND event_id = $2 AND state = 'retry'",
);
const REDRIVE: Sql = Sql::both(
    "UPDATE bus_parked SET state = 'retry', attempts = 0, due_at = $3
     WHERE consumer = $1 AND event_id = $2 AND state = 'dead'",
);
const REDRIVE_ALL: Sql = Sql::both(
    "UPDATE bus_parked SET state = 'retry', attempts = 0, due_at = $2
     WHERE consumer = $1 AND state = 'dead'",
);
const LIST: Sql = Sql::both(
    "SELECT event, error, attempts, parked_at, behind FROM bus_parked
     WHERE consumer = $1 AND state = 'dead' AND (parked_at, event_id) > ($2, $3)
     ORDER BY parked_at, event_id LIMIT $4",
);
const COUNT: Sql = Sql::both("SELECT count(*) FROM bus_parked WHERE consumer = $1 AND state = $2");

/// An event that was given up, with what went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub event: Event,
    /// The last error.
    pub error: String,
    /// How often it was tried since it was parked or redriven.
    pub attempts: i64,
    /// When it was parked.
    pub parked_at: Timestamp,
    /// How many later events with the same key wait behind it.
    pub behind: i64,
}

/// The state of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// To be tried again then.
    Retry(Timestamp),
    /// Waits for a person.
    Dead,
}

impl Head {
    const fn state(self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::Dead => "dead",
        }
    }

    const fn due(self) -> Timestamp {
        match self {
            Self::Retry(at) => at,
            Self::Dead => Timestamp(0),
        }
    }
}

/// An event that was taken out, to be applied in the same transaction.
pub(crate) struct Taken {
    pub(crate) event: Vec<u8>,
    pub(crate) attempts: i64,
    scope: String,
    behind: i64,
    state: String,
}

/// What stays in order: the events of one producer with one key.
pub(crate) fn scope(event: &Event) -> String {
    format!("{}/{}", event.producer, event.key)
}

/// Which of `scopes` are parked.
pub(crate) async fn parked(
    tx: &mut Tx<'_>,
    consumer: &str,
    scopes: &[String],
) -> Result<HashSet<String>> {
    let mut sql = SqlBuilder::new("SELECT scope FROM bus_parked WHERE consumer = ");
    sql.bind(consumer)
        .push(" AND state <> 'behind' AND scope IN ")
        .bind_list(scopes);
    tx.query_built(&sql)
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect()
}

/// Puts `event` behind the head of its key. False: there is none any more.
pub(crate) async fn park_behind(tx: &mut Tx<'_>, consumer: &str, event: &Event) -> Result<bool> {
    if !at_head(tx, &MORE, consumer, &scope(event)).await? {
        return Ok(false);
    }
    insert(
        tx,
        consumer,
        event,
        "behind",
        0,
        "waits for an earlier event of its key",
        0,
    )
    .await?;
    Ok(true)
}

/// Runs `update` on the head of a key. False: there is none any more.
///
/// On PostgreSQL an update that waited for the head to be released sees, of what followed, what it
/// saw before: the next head is not one yet. So whether there is none is asked anew.
async fn at_head(tx: &mut Tx<'_>, update: &Sql, consumer: &str, scope: &str) -> Result<bool> {
    while tx.execute(update, &[&consumer, &scope]).await? == 0 {
        if tx.query_opt(&HEAD, &[&consumer, &scope]).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Parks `event` as the head of its key, after its first attempt.
pub(crate) async fn park(
    tx: &mut Tx<'_>,
    consumer: &str,
    event: &Event,
    error: &str,
    head: Head,
) -> Result<()> {
    insert(tx, consumer, event, head.state(), 1, error, head.due().0).await
}

async fn insert(
    tx: &mut Tx<'_>,
    consumer: &str,
    event: &Event,
    state: &str,
    attempts: i64,
    error: &str,
    due_at: i64,
) -> Result<()> {
    let (now, text) = (tx.now(), event.to_cloud_event());
    let scope = scope(event);
    tx.execute(
        &PARK,
        &[
            &consumer, &event.id, &scope, &event.seq, &text, &state, &attempts, &error, &due_at,
            &now,
        ],
    )
    .await
    .map(drop)
}

/// The heads that are due.
pub(crate) async fn due(tx: &mut Tx<'_>, consumer: &str, limit: u32) -> Result<Vec<Id>> {
    let now = tx.now();
    let rows = tx.query(&DUE, &[&consumer, &now, &limit]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// When the next head is due.
pub(crate) async fn next_due(tx: &mut Tx<'_>, consumer: &str) -> Result<Option<Timestamp>> {
    tx.query_one(&NEXT_DUE, &[&consumer]).await?.get(0)
}

/// Takes a head that is to be tried again out. None: it is none any more.
pub(crate) async fn take(tx: &mut Tx<'_>, consumer: &str, id: Id) -> Result<Option<Taken>> {
    let row = tx.query_opt(&TAKE, &[&consumer, &id]).await?;
    row.as_ref().map(taken).transpose()
}

fn taken(row: &Row) -> Result<Taken> {
    Ok(Taken {
        event: row.get(0)?,
        scope: row.get(1)?,
        behind: row.get(2)?,
        attempts: row.get(3)?,
        state: row.get(4)?,
    })
}

/// The next event of the key becomes its head, due at once.
pub(crate) async fn promote(tx: &mut Tx<'_>, consumer: &str, taken: &Taken) -> Result<bool> {
    let (now, left) = (tx.now(), (taken.behind - 1).max(0));
    Ok(tx
        .execute(&PROMOTE, &[&consumer, &taken.scope, &now, &left])
        .await?
        > 0)
}

/// Drops a parked event for good. False: it is not parked.
pub(crate) async fn discard(tx: &mut Tx<'_>, consumer: &str, id: Id) -> Result<bool> {
    let Some(row) = tx.query_opt(&DROP, &[&consumer, &id]).await? else {
        return Ok(false);
    };
    let dropped = taken(&row)?;
    if dropped.state == "behind" {
        at_head(tx, &LESS, consumer, &dropped.scope).await?;
    } else {
        promote(tx, consumer, &dropped).await?;
    }
    Ok(true)
}

/// Notes a failed attempt.
pub(crate) async fn fail(
    tx: &mut Tx<'_>,
    consumer: &str,
    id: Id,
    error: &str,
    head: Head,
) -> Result<()> {
    tx.execute(&FAIL, &[&consumer, &id, &error, &head.state(), &head.due()])
        .await
        .map(drop)
}

/// Lets a dead letter be tried again. False: there is none.
pub(crate) async fn redrive(tx: &mut Tx<'_>, consumer: &str, id: Id) -> Result<bool> {
    let now = tx.now();
    Ok(tx.execute(&REDRIVE, &[&consumer, &id, &now]).await? > 0)
}

/// Lets every dead letter be tried again; answers how many.
pub(crate) async fn redrive_all(tx: &mut Tx<'_>, consumer: &str) -> Result<u64> {
    let now = tx.now();
    tx.execute(&REDRIVE_ALL, &[&consumer, &now]).await
}

/// Dead letters, oldest first, after the one with this time and id.
pub(crate) async fn dead(
    tx: &mut Tx<'_>,
    consumer: &str,
    after: Option<(Timestamp, Id)>,
    limit: u32,
) -> Result<Vec<DeadLetter>> {
    let (at, id) = after.map_or((Timestamp(i64::MIN), String::new()), |(at, id)| {
        (at, id.to_string())
    });
    let rows = tx.query(&LIST, &[&consumer, &at, &id, &limit]).await?;
    let mut letters = Vec::with_capacity(rows.len());
    for row in rows {
        let text: Vec<u8> = row.get(0)?;
        let event = Event::from_cloud_event(&text)
            .map_err(|e| storage::Error::new(storage::ErrorKind::Internal, e.to_string()))?;
        letters.push(DeadLetter {
            event,
            error: row.get(1)?,
            attempts: row.get(2)?,
            parked_at: row.get(3)?,
            behind: row.get(4)?,
        });
    }
    Ok(letters)
}

/// How many events are in `state`.
pub(crate) async fn count(tx: &mut Tx<'_>, consumer: &str, state: &str) -> Result<i64> {
    tx.query_one(&COUNT, &[&consumer, &state]).await?.get(0)
}
