//! Custom domains.

use contracts::links::{Domain, Moment};
use kernel::Timestamp;
use storage::{Result, Row, Sql, Tx};

/// The most custom domains.
pub(crate) const DOMAINS_MAX: usize = 1_000;

const LIST: Sql = Sql::both(
    "SELECT host, root_url, not_found_url, created_at FROM domains ORDER BY host LIMIT 1000",
);
const PUT: Sql = Sql::both(
    "INSERT INTO domains (host, root_url, not_found_url, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (host) DO UPDATE SET root_url = excluded.root_url,
       not_found_url = excluded.not_found_url
     RETURNING host, root_url, not_found_url, created_at",
);
const COUNT: Sql = Sql::both("SELECT count(*) FROM domains WHERE host <> $1");
/// The row cannot be removed before the transaction ends; its addresses may change.
const HOLD: Sql = Sql::of(
    "SELECT host FROM domains WHERE host = $1",
    "SELECT host FROM domains WHERE host = $1 FOR KEY SHARE",
);
const USED: Sql = Sql::both("SELECT num FROM links WHERE domain = $1 LIMIT 1");
const DELETE: Sql = Sql::both("DELETE FROM domains WHERE host = $1");

pub(super) const STATEMENTS: &[Sql] = &[LIST, PUT, COUNT, HOLD, USED, DELETE];

/// Every custom domain.
pub(crate) async fn list(tx: &mut Tx<'_>) -> Result<Vec<Domain>> {
    tx.query(&LIST, &[]).await?.iter().map(of_row).collect()
}

/// Adds or changes one.
pub(crate) async fn put(
    tx: &mut Tx<'_>,
    host: &str,
    root_url: Option<&str>,
    not_found_url: Option<&str>,
) -> Result<Domain> {
    let now = tx.now();
    of_row(
        &tx.query_one(&PUT, &[&host, &root_url, &not_found_url, &now])
            .await?,
    )
}

/// How many there are besides `host`.
pub(crate) async fn count_others(tx: &mut Tx<'_>, host: &str) -> Result<usize> {
    let n: i64 = tx.query_one(&COUNT, &[&host]).await?.get(0)?;
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

/// Whether there is one called `host`; if so it stays until the transaction ends.
pub(crate) async fn hold(tx: &mut Tx<'_>, host: &str) -> Result<bool> {
    Ok(tx.query_opt(&HOLD, &[&host]).await?.is_some())
}

/// Whether a link is on this domain.
pub(crate) async fn is_used(tx: &mut Tx<'_>, host: &str) -> Result<bool> {
    Ok(tx.query_opt(&USED, &[&host]).await?.is_some())
}

/// Removes one.
pub(crate) async fn delete(tx: &mut Tx<'_>, host: &str) -> Result<bool> {
    Ok(tx.execute(&DELETE, &[&host]).await? > 0)
}

fn of_row(row: &Row) -> Result<Domain> {
    Ok(Domain {
        host: row.get(0)?,
        root_url: row.get(1)?,
        not_found_url: row.get(2)?,
        created_at: Moment(row.get::<Timestamp>(3)?),
    })
}
