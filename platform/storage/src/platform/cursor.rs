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
const WANTED: Sql = Sql::both("SELECT position, topics FROM platform_cursors WHERE name = $1");
const BEGIN: Sql = Sql::both(
    "INSERT INTO platform_cursors (name, position, moved_at, topics) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET position = excluded.position, moved_at = excluded.moved_at,
       topics = excluded.topics",
);
const RESET: Sql = Sql::both("DELETE FROM platform_cursors WHERE name = $1");
const ALL: Sql = Sql::both("SELECT name, position FROM platform_cursors ORDER BY name");

impl Tx<'_> {
    /// How far the reader called `name` has come; none when it has never been set.
    pub async fn cursor(&mut self, name: &str) -> Result<Option<Position>> {
        let row = self.query_opt(&GET, &[&name]).await?;
        row.map(|row| row.get(0).map(Position)).transpose()
    }

    /// Where the reader called `name` goes on, who wants `topics` from now on.
    ///
    /// One that is new, or that wants a topic which it did not want before, begins at the start: the
    /// cursor has passed events of that topic. What it has seen already comes again.
    pub async fn begin_cursor(&mut self, name: &str, topics: &[String]) -> Result<Position> {
        let row = self.query_opt(&WANTED, &[&name]).await?;
        let (at, before): (i64, String) = match row {
            Some(row) => (row.get(0)?, row.get(1)?),
            None => (0, String::new()),
        };
        let mut wanted = topics.to_vec();
        wanted.sort_unstable();
        let text = wanted.join("\n");
        if text == before {
            return Ok(Position(at));
        }
        let before: Vec<&str> = before.split('\n').collect();
        let knows = wanted.iter().all(|topic| before.contains(&topic.as_str()));
        let at = if knows { Position(at) } else { Position::START };
        let now = self.now();
        self.execute(&BEGIN, &[&name, &at.0, &now, &text]).await?;
        Ok(at)
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

    /// Every reader that there has been, and how far it has come.
    pub async fn cursors(&mut self) -> Result<Vec<(String, Position)>> {
        let rows = self.query(&ALL, &[]).await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, Position(row.get(1)?))))
            .collect()
    }
}
