//! Where the outbox of the last while begins.

use kernel::Timestamp;

use crate::{Position, Result, Sql, Tx};

const AT: Sql =
    Sql::both("SELECT created_at FROM platform_outbox WHERE seq <= $1 ORDER BY seq DESC LIMIT 1");
/// How far to step back at first; each further step is twice as long.
const STEP: i64 = 256;
/// How much earlier an event may say that it was published than one that stands before it: clocks of
/// writers differ, and a transaction takes its time.
const SLACK: std::time::Duration = std::time::Duration::from_secs(60);

impl Tx<'_> {
    /// A position before every event that was published since `from`, and not many more.
    ///
    /// Finds it by the numbers, since the outbox has no index by time.
    pub async fn outbox_since(&mut self, from: Timestamp) -> Result<Position> {
        let (from, mut at) = (from.minus(SLACK), self.outbox_end().await?.0);
        let mut step = STEP;
        while let Some(row) = self.query_opt(&AT, &[&at]).await? {
            if row.get::<Timestamp>(0)? < from {
                return Ok(Position(at));
            }
            at -= step;
            step *= 2;
        }
        Ok(Position(0))
    }
}
