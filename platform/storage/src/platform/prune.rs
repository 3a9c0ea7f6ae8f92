//! Deletes what is old, a few rows in a transaction, so that nobody waits long for the writer.

use kernel::Timestamp;

use crate::{Db, Result, Sql, Tx};

/// How many rows one transaction deletes at most.
const CHUNK_MAX: u32 = 1_000;

/// Runs `sql`, which deletes up to `$2` rows from before `$1`, until there are no more; answers how
/// many there were.
pub(crate) async fn prune(db: &Db, sql: Sql, before: Timestamp) -> Result<u64> {
    let mut all = 0;
    loop {
        let chunk = async move |tx: &mut Tx<'_>| tx.execute(&sql, &[&before, &CHUNK_MAX]).await;
        let deleted = db.write(chunk).await?;
        all += deleted;
        if deleted < u64::from(CHUNK_MAX) {
            return Ok(all);
        }
    }
}
