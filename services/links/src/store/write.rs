//! Making, changing and removing links. What belongs together changes in one transaction.

use contracts::links::{LinkSnapshot, LinksError};
use kernel::{Id, Timestamp};
use storage::{Result, Sql, SqlBuilder, Tx, Value};

use super::Fail;
use super::links::url_hash;
use crate::domain::link::Link;

/// Rows of one statement: 26 parameters each, far below the limits of both engines.
const ROWS_MAX: usize = 200;

const COLUMNS: &str = "INSERT INTO links (id, domain, code, url, url_hash, title, notes, tags,
   external_id, enabled, status, cache_control, forward_query, expires_at, expired_url, max_clicks,
   rules, password, password_version, search, version, created_at, created_by, updated_at,
   updated_by) VALUES ";
const UPDATE: Sql = Sql::both(
    "UPDATE links SET domain = $2, code = $3, url = $4, url_hash = $5, title = $6, notes = $7,
       tags = $8, external_id = $9, enabled = $10, status = $11, cache_control = $12,
       forward_query = $13, expires_at = $14, expired_url = $15, max_clicks = $16, rules = $17,
       password = $18, password_version = $19, search = $20, version = version + 1,
       updated_at = $21, updated_by = $22
     WHERE num = $1 AND version = $23",
);
const DELETE: Sql = Sql::both("DELETE FROM links WHERE num = $1");
const DELETE_TAGS: Sql = Sql::both("DELETE FROM link_tags WHERE num = $1");
const DELETE_LIMIT: Sql = Sql::both("DELETE FROM link_limits WHERE num = $1");
const DELETE_VERSIONS: Sql = Sql::both("DELETE FROM link_versions WHERE num = $1");
const DELETE_COUNT: Sql = Sql::both("DELETE FROM link_counts WHERE num = $1");
const DELETE_DAYS: Sql = Sql::both("DELETE FROM link_days WHERE num = $1");
const DELETE_GUESSES: Sql = Sql::both("DELETE FROM password_guesses WHERE num = $1");
const ADD_TAG: Sql = Sql::both("INSERT INTO link_tags (tag, num) VALUES ($1, $2)");
const ADD_COUNT: Sql = Sql::both("INSERT INTO link_counts (num, clicks) VALUES ($1, 0)");
/// What is used up stays used up.
const SET_LIMIT: Sql = Sql::both(
    "INSERT INTO link_limits (num, max_clicks, used) VALUES ($1, $2, 0)
     ON CONFLICT (num) DO UPDATE SET max_clicks = excluded.max_clicks",
);
const COUNTER: Sql = Sql::both(
    "INSERT INTO code_counters (domain, given) VALUES ($1, $2)
     ON CONFLICT (domain) DO UPDATE SET given = code_counters.given + excluded.given
     RETURNING given",
);
const TAKEN_EXTERNAL_ID: Sql = Sql::both("SELECT num FROM links WHERE external_id = $1");

pub(super) const STATEMENTS: &[Sql] = &[
    UPDATE,
    DELETE,
    DELETE_TAGS,
    DELETE_LIMIT,
    DELETE_VERSIONS,
    DELETE_COUNT,
    DELETE_DAYS,
    DELETE_GUESSES,
    ADD_TAG,
    ADD_COUNT,
    SET_LIMIT,
    COUNTER,
    TAKEN_EXTERNAL_ID,
];

/// A link to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewLink {
    /// Its id.
    pub(crate) id: Id,
    /// Its content, with its code.
    pub(crate) body: LinkSnapshot,
    /// The hash of its password.
    pub(crate) password: Option<String>,
    /// By whom.
    pub(crate) by: String,
    /// When.
    pub(crate) at: Timestamp,
}

impl NewLink {
    /// The link that it becomes.
    pub(crate) fn into_link(self, num: i64) -> Link {
        Link {
            num,
            id: self.id,
            body: self.body,
            password_version: u32::from(self.password.is_some()),
            password: self.password,
            used: 0,
            version: 1,
            created_at: self.at,
            created_by: self.by.clone(),
            updated_at: self.at,
            updated_by: self.by,
        }
    }
}

/// Makes links; `None` for each whose code or external id is taken.
pub(crate) async fn insert(tx: &mut Tx<'_>, new: &[NewLink]) -> Result<Vec<Option<i64>>> {
    let mut nums = Vec::with_capacity(new.len());
    for rows in new.chunks(ROWS_MAX) {
        nums.extend(insert_rows(tx, rows).await?);
    }
    let made = || {
        new.iter()
            .zip(&nums)
            .filter_map(|(link, num)| num.map(|n| (link, n)))
    };
    let counts: Vec<[Value; 1]> = made().map(|(_, num)| [Value::Int(num)]).collect();
    tx.execute_many(&ADD_COUNT, &counts).await?;
    let tags: Vec<[Value; 2]> = made()
        .flat_map(|(link, num)| {
            link.body
                .tags
                .iter()
                .map(move |tag| [tag.as_str().into(), Value::Int(num)])
        })
        .collect();
    if !tags.is_empty() {
        tx.execute_many(&ADD_TAG, &tags).await?;
    }
    let limits: Vec<[Value; 2]> = made()
        .filter_map(|(link, num)| {
            link.body
                .max_clicks
                .map(|max| [Value::Int(num), max.into()])
        })
        .collect();
    if !limits.is_empty() {
        tx.execute_many(&SET_LIMIT, &limits).await?;
    }
    Ok(nums)
}

async fn insert_rows(tx: &mut Tx<'_>, rows: &[NewLink]) -> Result<Vec<Option<i64>>> {
    let mut sql = SqlBuilder::new(COLUMNS);
    let mut separator = "";
    for row in rows {
        sql.push(separator).bind_list(values(row));
        separator = ", ";
    }
    // No target is named: a code or an external id that is taken leaves the row out.
    sql.push(" ON CONFLICT DO NOTHING RETURNING num, id");
    let made = tx.query_built(&sql).await?;
    let mut found: Vec<(Id, i64)> = made
        .iter()
        .map(|row| Ok((row.get(1)?, row.get(0)?)))
        .collect::<Result<_>>()?;
    found.sort_unstable();
    let num = |id: Id| {
        found
            .binary_search_by_key(&id, |f| f.0)
            .ok()
            .map(|at| found[at].1)
    };
    Ok(rows.iter().map(|row| num(row.id)).collect())
}

fn values(link: &NewLink) -> Vec<Value> {
    let mut out: Vec<Value> = vec![link.id.into()];
    out.extend(body_values(&link.body));
    let password_version = u32::from(link.password.is_some());
    out.extend([link.password.clone().into(), password_version.into()]);
    out.push(search(&link.body).into());
    out.extend([1_u32.into(), link.at.into(), link.by.as_str().into()]);
    out.extend([link.at.into(), link.by.as_str().into()]);
    out
}

/// From `domain` to `rules`, in the order of the columns.
fn body_values(body: &LinkSnapshot) -> [Value; 16] {
    let json = |value: serde_json::Result<String>| value.unwrap_or_else(|_| "[]".to_owned());
    [
        body.domain.as_deref().unwrap_or_default().into(),
        body.code.as_str().into(),
        body.url.as_str().into(),
        url_hash(&body.url).into(),
        body.title.clone().into(),
        body.notes.clone().into(),
        json(serde_json::to_string(&body.tags)).into(),
        body.external_id.clone().into(),
        body.enabled.into(),
        body.status.into(),
        body.cache_control.clone().into(),
        body.forward_query.into(),
        body.expires_at.map(|at| at.0).into(),
        body.expired_url.clone().into(),
        body.max_clicks.into(),
        json(serde_json::to_string(&body.rules)).into(),
    ]
}

/// What a search looks at, in lower case. Bounded, because it stands in each row a second time.
fn search(body: &LinkSnapshot) -> String {
    let url: String = body.url.chars().take(512).collect();
    let title = body.title.as_deref().unwrap_or_default();
    let notes = body.notes.as_deref().unwrap_or_default();
    format!("{}\n{url}\n{title}\n{notes}", body.code).to_lowercase()
}

/// Writes a link that was changed from version `link.version`. False: somebody else was quicker.
pub(crate) async fn update(tx: &mut Tx<'_>, link: &Link, old_tags: &[String]) -> Result<bool> {
    let mut values: Vec<Value> = vec![link.num.into()];
    values.extend(body_values(&link.body));
    values.extend([link.password.clone().into(), link.password_version.into()]);
    values.extend([search(&link.body).into(), link.updated_at.into()]);
    values.extend([link.updated_by.as_str().into(), link.version.into()]);
    if tx.execute_many(&UPDATE, &[values]).await? == 0 {
        return Ok(false);
    }
    if old_tags != link.body.tags {
        tx.execute(&DELETE_TAGS, &[&link.num]).await?;
        for tag in &link.body.tags {
            tx.execute(&ADD_TAG, &[tag, &link.num]).await?;
        }
    }
    match link.body.max_clicks {
        Some(max) => tx.execute(&SET_LIMIT, &[&link.num, &max]).await?,
        None => tx.execute(&DELETE_LIMIT, &[&link.num]).await?,
    };
    Ok(true)
}

/// Removes a link with everything that belongs to it.
pub(crate) async fn delete(tx: &mut Tx<'_>, num: i64) -> Result<bool> {
    // The count goes first: a fold that writes sums of this link holds its row, or finds it gone.
    let parts = [
        DELETE_COUNT,
        DELETE_DAYS,
        DELETE_TAGS,
        DELETE_LIMIT,
        DELETE_VERSIONS,
        DELETE_GUESSES,
    ];
    for part in &parts {
        tx.execute(part, &[&num]).await?;
    }
    Ok(tx.execute(&DELETE, &[&num]).await? > 0)
}

/// Takes `n` numbers of a domain; answers the first.
pub(crate) async fn take_numbers(tx: &mut Tx<'_>, domain: &str, n: u32) -> Result<u64> {
    let given: i64 = tx.query_one(&COUNTER, &[&domain, &n]).await?.get(0)?;
    Ok(u64::try_from(given - i64::from(n)).unwrap_or(0))
}

/// Says which of its names is taken, for a link that could not be made.
pub(crate) async fn why_taken(tx: &mut Tx<'_>, body: &LinkSnapshot) -> Result<LinksError, Fail> {
    if let Some(external_id) = &body.external_id
        && tx
            .query_opt(&TAKEN_EXTERNAL_ID, &[external_id])
            .await?
            .is_some()
    {
        return Ok(LinksError::ExternalIdTaken {
            external_id: external_id.clone(),
        });
    }
    Ok(LinksError::CodeTaken {
        code: body.code.clone(),
        domain: body
            .domain
            .clone()
            .unwrap_or_else(|| "the default domain".to_owned()),
    })
}
