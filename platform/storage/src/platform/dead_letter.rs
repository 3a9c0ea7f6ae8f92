//! Dead letters: events that a consumer could not apply, kept until someone redrives them.

use kernel::{Id, Timestamp};

use crate::{Result, Row, Sql, Tx};

/// An event that was given up, with what went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Who could not apply it.
    pub consumer: String,
    /// The event.
    pub event_id: Id,
    /// The event as the bus encodes it.
    pub event: Vec<u8>,
    /// The key of the event, for looking.
    pub key: String,
    /// The last error.
    pub error: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was given up.
    pub died_at: Timestamp,
}

/// Where a page of dead letters ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeadLetterCursor {
    /// When the last one was given up.
    pub died_at: Timestamp,
    /// The last one.
    pub event_id: Id,
}

const ADD: Sql = Sql::both(
    "INSERT INTO platform_dead_letters (consumer, event_id, event, key, error, attempts, died_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (consumer, event_id) DO UPDATE SET error = excluded.error,
       attempts = platform_dead_letters.attempts + excluded.attempts, died_at = excluded.died_at",
);
const LIST: Sql = Sql::both(
    "SELECT consumer, event_id, event, key, error, attempts, died_at FROM platform_dead_letters
     WHERE consumer = $1 AND (died_at, event_id) > ($2, $3) ORDER BY died_at, event_id LIMIT $4",
);
const TAKE: Sql = Sql::both(
    "DELETE FROM platform_dead_letters WHERE consumer = $1 AND event_id = $2
     RETURNING consumer, event_id, event, key, error, attempts, died_at",
);
const COUNT: Sql = Sql::both("SELECT count(*) FROM platform_dead_letters WHERE consumer = $1");

impl Tx<'_> {
    /// Keeps an event that was given up.
    pub async fn add_dead_letter(&mut self, letter: &DeadLetter) -> Result<()> {
        let DeadLetter {
            consumer,
            event_id,
            event,
            key,
            error,
            attempts,
            died_at,
        } = letter;
        self.execute(
            &ADD,
            &[consumer, event_id, event, key, error, attempts, died_at],
        )
        .await
        .map(drop)
    }

    /// The dead letters of a consumer, oldest first.
    pub async fn dead_letters(
        &mut self,
        consumer: &str,
        after: Option<DeadLetterCursor>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        let (at, id) = after.map_or((Timestamp(i64::MIN), String::new()), |after| {
            (after.died_at, after.event_id.to_string())
        });
        let rows = self.query(&LIST, &[&consumer, &at, &id, &limit]).await?;
        rows.iter().map(read).collect()
    }

    /// Takes a dead letter out, to be tried again in this transaction.
    pub async fn take_dead_letter(&mut self, consumer: &str, id: Id) -> Result<Option<DeadLetter>> {
        let row = self.query_opt(&TAKE, &[&consumer, &id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// How many dead letters a consumer has.
    pub async fn count_dead_letters(&mut self, consumer: &str) -> Result<i64> {
        self.query_one(&COUNT, &[&consumer]).await?.get(0)
    }
}

fn read(row: &Row) -> Result<DeadLetter> {
    Ok(DeadLetter {
        consumer: row.get(0)?,
        event_id: row.get(1)?,
        event: row.get(2)?,
        key: row.get(3)?,
        error: row.get(4)?,
        attempts: row.get(5)?,
        died_at: row.get(6)?,
    })
}
