//! The state of a fold: which groups it takes, and up to which link its sums are written.
//!
//! A fold of many links is written in several transactions, so that it never holds the writer for
//! long. Each advances `pos` together with the sums that it writes, and the last removes the groups:
//! whenever the process dies, the next fold goes on at `pos` and no click counts twice.

use serde::{Deserialize, Serialize};
use storage::{Result, Row, Sql, Tx};

use super::broken;

const GET: Sql = Sql::both("SELECT generation, runs, pos FROM click_fold WHERE one = 1");
const BEGIN: Sql = Sql::both(
    "UPDATE click_fold SET generation = generation + 1, runs = $1, pos = $2
     WHERE one = 1 AND generation = $3 AND runs = '[]'",
);
const ADVANCE: Sql =
    Sql::both("UPDATE click_fold SET pos = $1 WHERE one = 1 AND generation = $2 AND pos = $3");
const END: Sql = Sql::both(
    "UPDATE click_fold SET runs = '[]', pos = 0 WHERE one = 1 AND generation = $1 AND pos = $2",
);
const SEQS: Sql =
    Sql::both("SELECT seq, clicks FROM click_batches WHERE seq <= $1 ORDER BY seq LIMIT $2");
const DATA: Sql =
    Sql::both("SELECT data FROM click_batches WHERE seq >= $1 AND seq <= $2 ORDER BY seq");
const REMOVE: Sql = Sql::both("DELETE FROM click_batches WHERE seq >= $1 AND seq <= $2");

pub(super) const STATEMENTS: &[Sql] = &[GET, BEGIN, ADVANCE, END, SEQS, DATA, REMOVE];

/// How many groups one fold takes at most: a minute of three replicas.
pub(crate) const GROUPS_MAX: i64 = 20_000;
/// Links before every other one: where a fold begins.
pub(crate) const FIRST: i64 = i64::MIN;

/// The fold that is going on, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fold {
    /// Grows with each fold.
    pub(crate) generation: i64,
    /// The groups that it takes.
    pub(crate) runs: Runs,
    /// The sums of the links up to here are written.
    pub(crate) pos: i64,
    /// How many clicks stand in the groups; 0 if somebody else has begun it.
    pub(crate) clicks: u64,
}

/// Numbers of groups, as runs from first to last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Runs(pub(crate) Vec<(i64, i64)>);

impl Runs {
    /// The runs of numbers that grow.
    pub(crate) fn of(seqs: impl Iterator<Item = i64>) -> Self {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for seq in seqs {
            match runs.last_mut() {
                Some(last) if last.1 + 1 == seq => last.1 = seq,
                _ => runs.push((seq, seq)),
            }
        }
        Self(runs)
    }

    /// Whether a group is taken.
    pub(crate) fn contain(&self, seq: i64) -> bool {
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&seq))
    }
}

impl Fold {
    /// Whether the clicks of `link` in group `seq` stand in the sums already.
    pub(crate) fn has_written(&self, seq: i64, link: i64) -> bool {
        link <= self.pos && self.runs.contain(seq)
    }

    /// Whether a fold is going on.
    pub(crate) const fn is_open(&self) -> bool {
        !self.runs.0.is_empty()
    }
}

/// The state of the fold.
pub(crate) async fn state(tx: &mut Tx<'_>) -> Result<Fold> {
    of_row(&tx.query_one(&GET, &[]).await?)
}

fn of_row(row: &Row) -> Result<Fold> {
    let runs: String = row.get(1)?;
    let runs = serde_json::from_str(&runs).map_err(|_| broken("runs of a fold"))?;
    Ok(Fold {
        generation: row.get(0)?,
        runs,
        pos: row.get(2)?,
        clicks: 0,
    })
}

/// Opens a fold of the oldest groups, not beyond number `last` and up to about `clicks_max` clicks;
/// or answers the open one.
pub(crate) async fn begin(tx: &mut Tx<'_>, last: i64, clicks_max: u64) -> Result<Option<Fold>> {
    let now = state(tx).await?;
    if now.is_open() {
        return Ok(Some(now));
    }
    let rows = tx.query(&SEQS, &[&last, &GROUPS_MAX]).await?;
    let (mut seqs, mut clicks) = (Vec::new(), 0);
    for row in &rows {
        seqs.push(row.get::<i64>(0)?);
        clicks += u64::from(row.get::<u32>(1)?);
        if clicks >= clicks_max {
            break;
        }
    }
    if seqs.is_empty() {
        return Ok(None);
    }
    let runs = Runs::of(seqs.into_iter());
    let text = serde_json::to_string(&runs).map_err(|_| broken("runs of a fold"))?;
    if tx
        .execute(&BEGIN, &[&text, &FIRST, &now.generation])
        .await?
        == 0
    {
        return Ok(None);
    }
    Ok(Some(Fold {
        generation: now.generation + 1,
        runs,
        pos: FIRST,
        clicks,
    }))
}

/// Moves the fold on. False: somebody else did.
pub(crate) async fn advance(tx: &mut Tx<'_>, fold: &Fold, to: i64) -> Result<bool> {
    Ok(tx
        .execute(&ADVANCE, &[&to, &fold.generation, &fold.pos])
        .await?
        > 0)
}

/// Removes the groups and closes the fold. False: somebody else did.
pub(crate) async fn end(tx: &mut Tx<'_>, fold: &Fold) -> Result<bool> {
    if tx.execute(&END, &[&fold.generation, &fold.pos]).await? == 0 {
        return Ok(false);
    }
    for (first, last) in &fold.runs.0 {
        tx.execute(&REMOVE, &[first, last]).await?;
    }
    Ok(true)
}

/// The groups of one run.
pub(crate) async fn data(tx: &mut Tx<'_>, run: (i64, i64)) -> Result<Vec<Vec<u8>>> {
    tx.query(&DATA, &[&run.0, &run.1])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_a_run() {
        let runs = Runs::of([1, 2, 3, 7, 8, 10].into_iter());
        assert_eq!(runs.0, [(1, 3), (7, 8), (10, 10)]);
        assert!(runs.contain(2) && !runs.contain(4) && runs.contain(10));
    }

    #[test]
    fn what_is_behind_the_position_is_in_the_sums() {
        let fold = Fold {
            generation: 1,
            runs: Runs::of([5].into_iter()),
            pos: 10,
            clicks: 0,
        };
        assert!(fold.has_written(5, 10) && !fold.has_written(5, 11) && !fold.has_written(6, 1));
    }
}
