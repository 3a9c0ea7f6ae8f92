//! Links as rows: reading them, by every name that a link has.

use contracts::links::{LinkSnapshot, Moment};
use kernel::{Id, Timestamp};
use storage::{Result, Row, Sql, Tx};

use super::broken;
use crate::domain::link::{Clicks, Link};
use crate::domain::route::Route;

/// The columns of a link. The order is that of [`of_row`].
macro_rules! select_link {
    ($tail:literal) => {
        concat!(
            "SELECT l.num, l.id, l.domain, l.code, l.url, l.title, l.notes, l.tags, l.external_id,
               l.enabled, l.status, l.cache_control, l.forward_query, l.expires_at, l.expired_url,
               l.max_clicks, l.rules, l.password, l.password_version, l.version, l.created_at,
               l.created_by, l.updated_at, l.updated_by, m.used, c.clicks, c.last_at ",
            $tail
        )
    };
}
pub(super) use select_link;

/// One link, by a condition.
macro_rules! select_all {
    ($condition:literal) => {
        concat!(
            select_link!(
                "FROM links l LEFT JOIN link_limits m ON m.num = l.num
                 LEFT JOIN link_counts c ON c.num = l.num WHERE "
            ),
            $condition
        )
    };
}

const BY_ID: Sql = Sql::both(select_all!("l.id = $1"));
const BY_EXTERNAL_ID: Sql = Sql::both(select_all!("l.external_id = $1"));
const BY_CODE: Sql = Sql::both(select_all!("l.domain = $1 AND l.code = $2"));
/// The oldest with this target on this domain.
const BY_URL: Sql = Sql::both(select_all!(
    "l.url_hash = $1 AND l.domain = $2 AND l.url = $3 ORDER BY l.num LIMIT 1"
));
/// Only what the redirect needs.
const ROUTE: Sql = Sql::both(
    "SELECT num, id, domain, code, url, title, enabled, status, cache_control, forward_query,
       expires_at, expired_url, max_clicks, rules, password_version, version,
       CASE WHEN password IS NULL THEN 0 ELSE 1 END
     FROM links WHERE domain = $1 AND code = $2",
);
const PASSWORD: Sql = Sql::both("SELECT password FROM links WHERE num = $1");

pub(super) const STATEMENTS: &[Sql] = &[BY_ID, BY_EXTERNAL_ID, BY_CODE, BY_URL, ROUTE, PASSWORD];

/// A link and its clicks.
pub(crate) type Found = (Link, Clicks);

/// The link in a row of [`select_link`].
pub(crate) fn of_row(row: &Row) -> Result<Found> {
    let used: Option<u32> = row.get(24)?;
    let clicks: Option<i64> = row.get(25)?;
    let link = Link {
        num: row.get(0)?,
        id: row.get(1)?,
        body: LinkSnapshot {
            domain: domain(row.get(2)?),
            code: row.get(3)?,
            url: row.get(4)?,
            title: row.get(5)?,
            notes: row.get(6)?,
            tags: json(&row.get::<String>(7)?, "tags")?,
            external_id: row.get(8)?,
            enabled: row.get(9)?,
            status: row.get(10)?,
            cache_control: row.get(11)?,
            forward_query: row.get(12)?,
            expires_at: row.get::<Option<Timestamp>>(13)?.map(Moment),
            expired_url: row.get(14)?,
            max_clicks: row.get(15)?,
            rules: json(&row.get::<String>(16)?, "rules")?,
        },
        password: row.get(17)?,
        password_version: row.get(18)?,
        used: used.unwrap_or(0),
        version: row.get(19)?,
        created_at: row.get(20)?,
        created_by: row.get(21)?,
        updated_at: row.get(22)?,
        updated_by: row.get(23)?,
    };
    let total = u64::try_from(clicks.unwrap_or(0)).unwrap_or(0);
    Ok((
        link,
        Clicks {
            total,
            last: row.get(26)?,
        },
    ))
}

/// The empty text is the default domain.
pub(crate) fn domain(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| broken(what))
}

/// A hash of a target, to find it by an index that stays small.
pub(crate) fn url_hash(url: &str) -> i64 {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(url.as_bytes());
    let mut head = [0_u8; 8];
    head.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(head)
}

/// The link with this id.
pub(crate) async fn by_id(tx: &mut Tx<'_>, id: Id) -> Result<Option<Found>> {
    tx.query_opt(&BY_ID, &[&id])
        .await?
        .as_ref()
        .map(of_row)
        .transpose()
}

/// The link with this id in the caller's own system.
pub(crate) async fn by_external_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Found>> {
    tx.query_opt(&BY_EXTERNAL_ID, &[&id])
        .await?
        .as_ref()
        .map(of_row)
        .transpose()
}

/// The link with this code; the empty domain is the default one.
pub(crate) async fn by_code(tx: &mut Tx<'_>, domain: &str, code: &str) -> Result<Option<Found>> {
    tx.query_opt(&BY_CODE, &[&domain, &code])
        .await?
        .as_ref()
        .map(of_row)
        .transpose()
}

/// The oldest link on a domain with this target.
pub(crate) async fn by_url(tx: &mut Tx<'_>, domain: &str, url: &str) -> Result<Option<Found>> {
    let hash = url_hash(url);
    tx.query_opt(&BY_URL, &[&hash, &domain, &url])
        .await?
        .as_ref()
        .map(of_row)
        .transpose()
}

/// The link that `name` means: its id, `ext_<external id>`, or its code on `domain`.
pub(crate) async fn by_name(tx: &mut Tx<'_>, domain: &str, name: &str) -> Result<Option<Found>> {
    // PostgreSQL takes no text with a NUL in it; no name has one.
    if name.contains('\0') || domain.contains('\0') {
        return Ok(None);
    }
    if let Some(external) = name.strip_prefix("ext_")
        && let Some(found) = by_external_id(tx, external).await?
    {
        return Ok(Some(found));
    }
    if let Ok(id) = name.parse::<Id>()
        && let Some(found) = by_id(tx, id).await?
    {
        return Ok(Some(found));
    }
    by_code(tx, domain, name).await
}

/// What the redirect needs of a link.
pub(crate) async fn route(tx: &mut Tx<'_>, host: &str, code: &str) -> Result<Option<Route>> {
    let Some(row) = tx.query_opt(&ROUTE, &[&host, &code]).await? else {
        return Ok(None);
    };
    let protected: bool = row.get(16)?;
    let password_version: u32 = row.get(14)?;
    Ok(Some(Route {
        num: row.get(0)?,
        id: row.get(1)?,
        domain: domain(row.get(2)?),
        code: row.get(3)?,
        url: row.get(4)?,
        title: row.get(5)?,
        enabled: row.get(6)?,
        status: row.get(7)?,
        cache_control: row.get(8)?,
        forward_query: row.get(9)?,
        expires_at: row.get(10)?,
        expired_url: row.get(11)?,
        limited: row.get::<Option<i64>>(12)?.is_some(),
        rules: json(&row.get::<String>(13)?, "rules")?,
        password_version: protected.then_some(password_version),
        version: row.get(15)?,
    }))
}

/// The hash of a link's password.
pub(crate) async fn password(tx: &mut Tx<'_>, num: i64) -> Result<Option<String>> {
    match tx.query_opt(&PASSWORD, &[&num]).await? {
        Some(row) => row.get(0),
        None => Ok(None),
    }
}
