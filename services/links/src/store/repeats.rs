//! A request that was asked again of another replica, because the first one died before it answered,
//! counts once: as what the first one wrote, or else as what the second one writes.
//!
//! Requests are told apart by the number that the gateway gives each (`Meta::hop`). Whoever is asked
//! again looks for the number among the groups that wait. If it is not there, the click is written
//! together with a row that says so, and a group of the first replica that is committed only now
//! is read without it. Groups therefore wait a moment before they are folded.

use std::collections::HashSet;
use std::time::Duration;

use kernel::Timestamp;
use storage::{Result, Sql, Tx};

use super::broken;
use super::clicks::{self, Group};
use crate::domain::batch::Batch;

/// How far clocks of replicas may differ, plus how long a request may have been under way.
const LOOK_BACK_MS: i64 = 60_000;
/// How long a number is remembered: longer than any fold that was cut off waits to go on.
const KEPT: Duration = Duration::from_secs(3_600);

const LATEST: Sql =
    Sql::both("SELECT seq, data FROM click_batches WHERE seq < $1 ORDER BY seq DESC LIMIT 16");
const CLAIM: Sql =
    Sql::both("INSERT INTO click_repeats (hop, at) VALUES ($1, $2) ON CONFLICT (hop) DO NOTHING");
const ALL: Sql = Sql::both("SELECT hop FROM click_repeats");
const FORGET: Sql = Sql::both("DELETE FROM click_repeats WHERE at < $1");

pub(super) const STATEMENTS: &[Sql] = &[LATEST, CLAIM, ALL, FORGET];

/// Writes the click of request `hop`, unless it is written already.
pub(crate) async fn add(tx: &mut Tx<'_>, hop: u64, click: &Group) -> Result<()> {
    if is_written(tx, hop).await? {
        return Ok(());
    }
    let now = tx.now();
    if tx.execute(&CLAIM, &[&hop.cast_signed(), &now]).await? > 0 {
        clicks::append(tx, std::slice::from_ref(click)).await?;
    }
    Ok(())
}

/// Whether a group that waits has the click of request `hop`.
async fn is_written(tx: &mut Tx<'_>, hop: u64) -> Result<bool> {
    let since = tx.now().millis() - LOOK_BACK_MS;
    let mut before = i64::MAX;
    loop {
        let rows = tx.query(&LATEST, &[&before]).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        for row in &rows {
            before = row.get(0)?;
            let blob: Vec<u8> = row.get(1)?;
            let batch = Batch::read(&blob).map_err(|_| broken("group of clicks"))?;
            if batch.has_hop(hop) {
                return Ok(true);
            }
            if batch.base_ms < since {
                return Ok(false);
            }
        }
    }
}

/// The requests whose click in a group of the first replica counts no more. Mostly there are none.
pub(crate) async fn all(tx: &mut Tx<'_>) -> Result<HashSet<u64>> {
    let rows = tx.query(&ALL, &[]).await?;
    let hop = |row: &storage::Row| row.get::<i64>(0).map(i64::cast_unsigned);
    rows.iter().map(hop).collect()
}

/// Forgets what was asked again long ago.
pub(crate) async fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.execute(&FORGET, &[&now.minus(KEPT)]).await
}
