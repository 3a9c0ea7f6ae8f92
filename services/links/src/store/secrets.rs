//! Secrets that the replicas share: the key of passes, and the salts of days.

use storage::{Result, Sql, Tx};

const GET: Sql = Sql::both("SELECT value FROM secrets WHERE name = $1");
const ADD: Sql =
    Sql::both("INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
const SALT: Sql = Sql::both("SELECT salt FROM visitor_salts WHERE day = $1");
const ADD_SALT: Sql =
    Sql::both("INSERT INTO visitor_salts (day, salt) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING");
const FORGET_SALTS: Sql = Sql::both("DELETE FROM visitor_salts WHERE day < $1");

pub(super) const STATEMENTS: &[Sql] = &[GET, ADD, SALT, ADD_SALT, FORGET_SALTS];

/// The secret called `name`; made now if there is none.
pub(crate) async fn secret(tx: &mut Tx<'_>, name: &str) -> Result<[u8; 32]> {
    let mut fresh = [0_u8; 32];
    tx.ctx().random.fill(&mut fresh);
    // Whoever comes first wins; everybody reads the same.
    tx.execute(&ADD, &[&name, &fresh]).await?;
    tx.query_one(&GET, &[&name]).await?.get(0)
}

/// The salt of a day; made now if there is none.
pub(crate) async fn salt(tx: &mut Tx<'_>, day: i64) -> Result<Vec<u8>> {
    let mut fresh = vec![0_u8; 16];
    tx.ctx().random.fill(&mut fresh);
    tx.execute(&ADD_SALT, &[&day, &fresh]).await?;
    tx.query_one(&SALT, &[&day]).await?.get(0)
}

/// Destroys the salts of the days before `day`: from then on nobody can say who a hash was.
pub(crate) async fn forget_salts(tx: &mut Tx<'_>, day: i64) -> Result<u64> {
    tx.execute(&FORGET_SALTS, &[&day]).await
}
