//! Earlier versions of links. A link that was never edited has none.

use contracts::links::{LinkSnapshot, Moment};
use kernel::Timestamp;
use storage::{Result, Row, Sql, Tx};

use super::broken;
use crate::domain::link::Link;

/// How many earlier versions are kept.
pub(crate) const VERSIONS_MAX: u32 = 100;

const ADD: Sql = Sql::both(
    "INSERT INTO link_versions (num, version, at, made_by, snapshot) VALUES ($1, $2, $3, $4, $5)",
);
const PRUNE: Sql = Sql::both("DELETE FROM link_versions WHERE num = $1 AND version <= $2");
const LIST: Sql = Sql::both(
    "SELECT version, at, made_by, snapshot FROM link_versions WHERE num = $1 ORDER BY version DESC",
);
const GET: Sql = Sql::both(
    "SELECT version, at, made_by, snapshot FROM link_versions WHERE num = $1 AND version = $2",
);

pub(super) const STATEMENTS: &[Sql] = &[ADD, PRUNE, LIST, GET];

/// An earlier version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// Its number.
    pub(crate) version: u32,
    /// When it became the present one.
    pub(crate) at: Moment,
    /// Who made it.
    pub(crate) by: String,
    /// Its content.
    pub(crate) body: LinkSnapshot,
}

/// Keeps the present version of a link that is about to change.
pub(crate) async fn keep(tx: &mut Tx<'_>, link: &Link) -> Result<()> {
    let snapshot = serde_json::to_string(&link.body).map_err(|_| broken("snapshot"))?;
    let (at, by) = (link.updated_at, link.updated_by.as_str());
    tx.execute(&ADD, &[&link.num, &link.version, &at, &by, &snapshot])
        .await?;
    if link.version > VERSIONS_MAX {
        let last = link.version - VERSIONS_MAX;
        tx.execute(&PRUNE, &[&link.num, &last]).await?;
    }
    Ok(())
}

/// The earlier versions of a link, newest first.
pub(crate) async fn list(tx: &mut Tx<'_>, num: i64) -> Result<Vec<Earlier>> {
    tx.query(&LIST, &[&num]).await?.iter().map(of_row).collect()
}

/// One earlier version of a link.
pub(crate) async fn get(tx: &mut Tx<'_>, num: i64, version: u32) -> Result<Option<Earlier>> {
    tx.query_opt(&GET, &[&num, &version])
        .await?
        .as_ref()
        .map(of_row)
        .transpose()
}

fn of_row(row: &Row) -> Result<Earlier> {
    let snapshot: String = row.get(3)?;
    Ok(Earlier {
        version: row.get(0)?,
        at: Moment(row.get::<Timestamp>(1)?),
        by: row.get(2)?,
        body: serde_json::from_str(&snapshot).map_err(|_| broken("snapshot"))?,
    })
}
