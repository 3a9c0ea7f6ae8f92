//! A request that was asked again of another replica, because the first one died before it answered,
//! counts once: as what the first one wrote, or else as what the second one writes.
//!
//! Requests are told apart by the number that the gateway gives each (`Meta::hop`). Whoever is asked
//! again looks for it among the groups that wait and among the numbers of those that were folded a
//! moment ago ([`look`]). If it is not there, the click is written together with a row that says so
//! ([`claim`]), and a click of the first replica that is committed only now is read without it.
//!
//! What makes this exact is that no fold begins between the look and the commit of the claim. A click
//! of the first replica then either stood there at the look, or is folded by a fold that begins after
//! the claim and sees it, however late either of them is committed.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use kernel::Timestamp;
use storage::{Result, Sql, Tx};

use super::{broken, fold};
use crate::domain::batch::Batch;

/// How long the number of a claim is remembered: longer than any fold that was cut off waits to go on,
/// and than a replica that lives holds back a click.
const KEPT: Duration = Duration::from_secs(3_600);
/// How long the numbers of folded clicks are remembered: far longer than the gateway takes to ask
/// again.
const FOLDED_KEPT: Duration = Duration::from_secs(60);
const HOP: usize = size_of::<u64>();
/// How many bytes of numbers one row and one transaction takes.
const PART_BYTES_MAX: usize = 65_536 * HOP;
/// How many parts one fold keeps: 8 MiB, a million clicks.
const PARTS_MAX: usize = 16;

const LATEST: Sql =
    Sql::both("SELECT seq, data FROM click_batches WHERE seq < $1 ORDER BY seq DESC LIMIT 64");
const FOLDED: Sql = Sql::both("SELECT hops FROM click_folded");
const ADD_FOLDED: Sql = Sql::both("INSERT INTO click_folded (at, hops) VALUES ($1, $2)");
const FORGET_FOLDED: Sql = Sql::both("DELETE FROM click_folded WHERE at < $1");
/// Until the transaction ends no fold begins. On SQLite it is the only one that writes.
const HOLD_FOLD: Sql = Sql::of(
    "SELECT generation FROM click_fold WHERE one = 1",
    "SELECT generation FROM click_fold WHERE one = 1 FOR SHARE",
);
const CLAIM: Sql =
    Sql::both("INSERT INTO click_repeats (hop, at) VALUES ($1, $2) ON CONFLICT (hop) DO NOTHING");
const ALL: Sql = Sql::both("SELECT hop FROM click_repeats");
const FORGET: Sql = Sql::both("DELETE FROM click_repeats WHERE at < $1");

pub(super) const STATEMENTS: &[Sql] = &[
    LATEST,
    FOLDED,
    ADD_FOLDED,
    FORGET_FOLDED,
    HOLD_FOLD,
    CLAIM,
    ALL,
    FORGET,
];

/// What a look has found out.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The requests whose click is nowhere.
    missing: BTreeSet<u64>,
    /// The last fold that had begun.
    generation: i64,
}

impl Look {
    /// Whether every click was there.
    pub(crate) fn found_all(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Looks for the clicks of these requests. Reads only, and all of it in the one snapshot.
pub(crate) async fn look(tx: &mut Tx<'_>, hops: &BTreeSet<u64>) -> Result<Look> {
    let generation = fold::state(tx).await?.generation;
    let mut missing = hops.clone();
    // The newest first: mostly the first replica has died this very moment.
    let mut before = i64::MAX;
    while !missing.is_empty() {
        let rows = tx.query(&LATEST, &[&before]).await?;
        let Some(last) = rows.last() else {
            break;
        };
        before = last.get(0)?;
        for row in &rows {
            let blob: Vec<u8> = row.get(1)?;
            let batch = Batch::read(&blob).map_err(|_| broken("group of clicks"))?;
            strike(&mut missing, batch.hops());
        }
    }
    if !missing.is_empty() {
        for row in tx.query(&FOLDED, &[]).await? {
            strike(&mut missing, unpack(&row.get::<Vec<u8>>(0)?));
        }
    }
    Ok(Look {
        missing,
        generation,
    })
}

fn strike(missing: &mut BTreeSet<u64>, hops: impl Iterator<Item = u64>) {
    hops.for_each(|hop| {
        missing.remove(&hop);
    });
}

/// Marks the requests of a look whose click is to be written in this transaction; answers those that
/// nobody has marked before. `None`: a fold has begun since the look, which holds no more.
pub(crate) async fn claim(tx: &mut Tx<'_>, look: &Look) -> Result<Option<HashSet<u64>>> {
    let generation: i64 = tx.query_one(&HOLD_FOLD, &[]).await?.get(0)?;
    if generation != look.generation {
        return Ok(None);
    }
    let now = tx.now();
    let mut claimed = HashSet::new();
    // In their order, so that two replicas cannot each wait for a number of the other.
    for hop in &look.missing {
        if tx.execute(&CLAIM, &[&hop.cast_signed(), &now]).await? > 0 {
            claimed.insert(*hop);
        }
    }
    Ok(Some(claimed))
}

/// The requests whose click in a group of the first replica counts no more. Mostly there are none.
pub(crate) async fn all(tx: &mut Tx<'_>) -> Result<HashSet<u64>> {
    let rows = tx.query(&ALL, &[]).await?;
    let hop = |row: &storage::Row| row.get::<i64>(0).map(i64::cast_unsigned);
    rows.iter().map(hop).collect()
}

/// Remembers some numbers of a fold, before it removes their groups.
pub(crate) async fn remember(tx: &mut Tx<'_>, part: &[u8]) -> Result<()> {
    let now = tx.now();
    tx.execute(&FORGET_FOLDED, &[&now.minus(FOLDED_KEPT)])
        .await?;
    tx.execute(&ADD_FOLDED, &[&now, &part]).await.map(drop)
}

/// Forgets what was asked again or folded long ago.
pub(crate) async fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.execute(&FORGET_FOLDED, &[&now.minus(FOLDED_KEPT)])
        .await?;
    tx.execute(&FORGET, &[&now.minus(KEPT)]).await
}

/// The numbers of the requests of a fold, packed; the newest of them when there are too many.
#[derive(Debug, Default)]
pub(crate) struct Hops(VecDeque<Vec<u8>>);

impl Hops {
    /// Takes one more.
    pub(crate) fn push(&mut self, hop: u64) {
        if self
            .0
            .back()
            .is_none_or(|part| part.len() >= PART_BYTES_MAX)
        {
            self.0.push_back(Vec::new());
            if self.0.len() > PARTS_MAX {
                self.0.pop_front();
            }
        }
        if let Some(part) = self.0.back_mut() {
            part.extend_from_slice(&hop.to_le_bytes());
        }
    }

    /// The parts, each for one call of [`remember`].
    pub(crate) fn into_parts(self) -> impl Iterator<Item = Vec<u8>> {
        self.0.into_iter()
    }
}

fn unpack(part: &[u8]) -> impl Iterator<Item = u64> {
    let chunks = part.as_chunks::<HOP>().0;
    chunks.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
