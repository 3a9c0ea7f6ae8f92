//! How far a reader of an outbox has come.

use crate::{Result, Sql, Tx};

/// A place in an outbox: after the event with this sequence number.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub i64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);
}

const GET: Sql = Sql::both("SELECT position FROM platform_cursors WHERE name = $1");
const SET: Sql = Sql::both(
    "INSERT INTO platform_cursors (name, position, moved_at) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET position = excluded.position, moved_at = excluded.moved_at
     WHERE platform_cursors.position < excluded.position",
);
const RESET: Sql = Sql::both("DELETE FROM platform_cursors WHERE name = $1");
const LOWEST: Sql = Sql::both("SELECT min(position) FROM platform_cursors");

impl Tx<'_> {
    /// How far the reader called `name` has come; none when it has never been set.
    pub async fn cursor(&mut self, name: &str) -> Result<Option<Position>> {
        let row = self.query_opt(&GET, &[&name]).await?;
        row.map(|row| row.get(0).map(Position)).transpose()
    }

    /// Moves the reader forward. A position behind the present one is left alone: answers false.
    pub async fn set_cursor(&mut self, name: &str, to: Position) -> Result<bool> {
        let now = self.now();
        Ok(self.execute(&SET, &[&name, &to.0, &now]).await? > 0)
    }

    /// Forgets the reader, so that it starts anew.
    pub async fn reset_cursor(&mut self, name: &str) -> Result<()> {
        self.execute(&RESET, &[&name]).await.map(drop)
    }

    /// The position of the slowest reader; none when there is no reader.
    pub async fn lowest_cursor(&mut self) -> Result<Option<Position>> {
        let lowest: Option<i64> = self.query_one(&LOWEST, &[]).await?.get(0)?;
        Ok(lowest.map(Position))
    }
}
