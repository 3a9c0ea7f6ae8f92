//! Sums of clicks: totals of links, and one packed row for each link and day.

use storage::{Result, Row, Sql, Tx, Value};

use super::broken;
use crate::domain::day::Day;

const TOTAL: Sql = Sql::both("SELECT clicks FROM link_counts WHERE num = $1");
const RANGE: Sql = Sql::both(
    "SELECT day, data FROM link_days WHERE num = $1 AND day >= $2 AND day <= $3 ORDER BY day",
);
const GET: Sql = Sql::both("SELECT data FROM link_days WHERE num = $1 AND day = $2");
/// The row of a link that was removed meanwhile is not there, and stays so.
const COUNT: Sql = Sql::both(
    "UPDATE link_counts SET clicks = clicks + $2,
       last_at = CASE WHEN last_at > $3 THEN last_at ELSE $3 END
     WHERE num = $1",
);
const INSERT: Sql = Sql::of(
    "INSERT INTO link_days (num, day, data) SELECT $1, $2, $3
     WHERE EXISTS (SELECT 1 FROM link_counts WHERE num = $1)",
    "INSERT INTO link_days (num, day, data)
     SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BYTEA)
     WHERE EXISTS (SELECT 1 FROM link_counts WHERE num = $1)",
);
const UPDATE: Sql = Sql::both("UPDATE link_days SET data = $3 WHERE num = $1 AND day = $2");

pub(super) const STATEMENTS: &[Sql] = &[TOTAL, RANGE, GET, COUNT, INSERT, UPDATE];

/// Clicks of a link since it was made, as of the last fold.
pub(crate) async fn total(tx: &mut Tx<'_>, num: i64) -> Result<u64> {
    let row = tx.query_opt(&TOTAL, &[&num]).await?;
    let clicks: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    Ok(u64::try_from(clicks).unwrap_or(0))
}

/// The days of a link from `first` to `last`.
pub(crate) async fn range(
    tx: &mut Tx<'_>,
    num: i64,
    first: i64,
    last: i64,
) -> Result<Vec<(i64, Day)>> {
    let rows = tx.query(&RANGE, &[&num, &first, &last]).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, day(row, 1)?)))
        .collect()
}

/// The days of several links, as far as they are there already.
pub(crate) async fn get_many(tx: &mut Tx<'_>, keys: &[(i64, i64)]) -> Result<Vec<Option<Day>>> {
    let asked = keys.iter().map(|(num, day)| [(*num).into(), (*day).into()]);
    let asked: Vec<[Value; 2]> = asked.collect();
    let found = tx.query_many(&GET, &asked).await?;
    let read = |row: &Option<Row>| row.as_ref().map(|row| day(row, 0)).transpose();
    found.iter().map(read).collect()
}

/// Adds clicks to totals: link, clicks, moment of the last one.
pub(crate) async fn add_totals(tx: &mut Tx<'_>, totals: &[(i64, u64, i64)]) -> Result<()> {
    let rows: Vec<[Value; 3]> = totals
        .iter()
        .map(|(num, clicks, last)| {
            [
                (*num).into(),
                i64::try_from(*clicks).unwrap_or(i64::MAX).into(),
                (*last).into(),
            ]
        })
        .collect();
    tx.execute_many(&COUNT, &rows).await.map(drop)
}

/// A day of a link, packed.
pub(crate) type Packed = (i64, i64, Vec<u8>);

/// Writes days that are not there yet.
pub(crate) async fn insert_many(tx: &mut Tx<'_>, days: Vec<Packed>) -> Result<()> {
    tx.execute_many(&INSERT, &rows(days)).await.map(drop)
}

/// Writes days anew that are there.
pub(crate) async fn update_many(tx: &mut Tx<'_>, days: Vec<Packed>) -> Result<()> {
    tx.execute_many(&UPDATE, &rows(days)).await.map(drop)
}

fn rows(days: Vec<Packed>) -> Vec<[Value; 3]> {
    let row = |(num, day, data): Packed| [num.into(), day.into(), data.into()];
    days.into_iter().map(row).collect()
}

fn day(row: &Row, at: usize) -> Result<Day> {
    let data: Vec<u8> = row.get(at)?;
    Day::decode(&data).map_err(|_| broken("clicks of a day"))
}
