//! Names that are held until a transaction ends, for what no unique index can say: that a link which
//! is not there yet is made once.

use sha2::{Digest as _, Sha256};
use storage::{Dialect, Result, Sql, Tx};

/// SQLite has one writer at a time, so a transaction that writes holds every name there is.
const HOLD: Sql = Sql::of("SELECT $1", "SELECT pg_advisory_xact_lock($1)");

pub(super) const STATEMENTS: &[Sql] = &[HOLD];

/// Waits until no other transaction holds the name that `parts` make; holds it from then on. What is
/// read after this was written by all who held it before.
pub(crate) async fn hold(tx: &mut Tx<'_>, parts: [&str; 3]) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => tx.execute(&HOLD, &[&number(parts)]).await.map(drop),
    }
}

/// Locks have numbers. Two names with the same one wait for each other, and nothing worse.
fn number(parts: [&str; 3]) -> i64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let mut head = [0_u8; 8];
    head.copy_from_slice(&hash.finalize()[..8]);
    i64::from_le_bytes(head)
}
