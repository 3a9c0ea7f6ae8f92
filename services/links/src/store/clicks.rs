//! Groups of clicks: written once, read until they are folded.

use storage::{Result, Sql, Tx, Value};

/// A group that was written before is not written again.
const CLAIM: Sql = Sql::both(
    "INSERT INTO click_writers (writer, seq, seen_at) VALUES ($1, $2, $3)
     ON CONFLICT (writer) DO UPDATE SET seq = excluded.seq, seen_at = excluded.seen_at
     WHERE click_writers.seq < excluded.seq",
);
const ADD: Sql = Sql::both("INSERT INTO click_batches (clicks, data) VALUES ($1, $2)");
const FORGET_WRITERS: Sql = Sql::both("DELETE FROM click_writers WHERE seen_at < $1");
/// Each end for itself: asked for both at once, SQLite goes through every group.
const WAITING: Sql = Sql::of(
    "SELECT (SELECT min(seq) FROM click_batches), (SELECT max(seq) FROM click_batches),
       (SELECT sum(clicks) FROM click_batches WHERE seq > $1)",
    "SELECT (SELECT min(seq) FROM click_batches), (SELECT max(seq) FROM click_batches),
       (SELECT CAST(sum(clicks) AS BIGINT) FROM click_batches WHERE seq > $1)",
);
const PENDING: Sql =
    Sql::both("SELECT seq, data FROM click_batches WHERE seq > $1 ORDER BY seq LIMIT 64");

pub(super) const STATEMENTS: &[Sql] = &[CLAIM, ADD, FORGET_WRITERS, WAITING, PENDING];

/// A group of clicks, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// How many clicks.
    pub(crate) clicks: u32,
    /// The batch.
    pub(crate) data: Vec<u8>,
}

/// Writes groups as number `seq` of `writer`. Does nothing if that was written before.
pub(crate) async fn add(tx: &mut Tx<'_>, writer: &str, seq: i64, groups: &[Group]) -> Result<()> {
    let now = tx.now();
    if tx.execute(&CLAIM, &[&writer, &seq, &now]).await? == 0 {
        return Ok(());
    }
    append(tx, groups).await
}

/// Writes groups.
pub(crate) async fn append(tx: &mut Tx<'_>, groups: &[Group]) -> Result<()> {
    match groups {
        [] => 0,
        [one] => tx.execute(&ADD, &[&one.clicks, &one.data]).await?,
        many => {
            let rows: Vec<[Value; 2]> = many
                .iter()
                .map(|g| [g.clicks.into(), g.data.clone().into()])
                .collect();
            tx.execute_many(&ADD, &rows).await?
        }
    };
    Ok(())
}

/// Forgets processes that have not written since `before`.
pub(crate) async fn forget_writers(tx: &mut Tx<'_>, before: kernel::Timestamp) -> Result<u64> {
    tx.execute(&FORGET_WRITERS, &[&before]).await
}

/// Groups that wait to be folded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// The number of the first; 0 if none waits.
    pub(crate) first: i64,
    /// The number of the last; 0 if none waits.
    pub(crate) last: i64,
    /// How many clicks stand in the newest of them.
    pub(crate) clicks: u64,
}

/// The groups that wait to be folded, with the clicks of those after number `after`.
pub(crate) async fn waiting(tx: &mut Tx<'_>, after: i64) -> Result<Waiting> {
    let row = tx.query_one(&WAITING, &[&after]).await?;
    let number = |at| Ok(row.get::<Option<i64>>(at)?.unwrap_or(0));
    Ok(Waiting {
        first: number(0)?,
        last: number(1)?,
        clicks: u64::try_from(number(2)?).unwrap_or(0),
    })
}

/// The next groups after number `after` that wait to be folded. A few, because each may be large.
pub(crate) async fn pending(tx: &mut Tx<'_>, after: i64) -> Result<Vec<(i64, Vec<u8>)>> {
    let rows = tx.query(&PENDING, &[&after]).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

#[cfg(test)]
mod tests;
