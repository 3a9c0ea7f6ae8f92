//! Lists of links: filters, two orders, cursors; and the tags in use.

use contracts::links::{LinkSort, LinkStatus, TagCount};
use storage::{Result, Sql, SqlBuilder, Tx};

use super::links::{self, Found, select_link};
use crate::domain::link::Clicks;

const TAGS: Sql = Sql::both(
    "SELECT tag, count(*) FROM link_tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 1000",
);

pub(super) const STATEMENTS: &[Sql] = &[TAGS];

/// Which links, in which order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Part of code, target, title or notes.
    pub(crate) search: Option<String>,
    /// Has this tag.
    pub(crate) tag: Option<String>,
    /// On this domain; the empty text is the default one.
    pub(crate) domain: Option<String>,
    /// In this state.
    pub(crate) status: Option<LinkStatus>,
    /// The order.
    pub(crate) sort: LinkSort,
    /// After the link with this many clicks and this number.
    pub(crate) after: Option<(i64, i64)>,
    /// How many.
    pub(crate) limit: u32,
}

/// The links that match.
pub(crate) async fn list(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<Found>> {
    tx.query_built(&build(tx, filter))
        .await?
        .iter()
        .map(links::of_row)
        .collect()
}

fn build(tx: &Tx<'_>, filter: &Filter) -> SqlBuilder {
    // `CROSS JOIN` tells SQLite to begin with the counts, whose index has the order already.
    let mut sql = SqlBuilder::new(match filter.sort {
        LinkSort::Clicks => select_link!(
            "FROM link_counts c CROSS JOIN links l LEFT JOIN link_limits m ON m.num = l.num
             WHERE l.num = c.num"
        ),
        LinkSort::Created => select_link!(
            "FROM links l LEFT JOIN link_counts c ON c.num = l.num
             LEFT JOIN link_limits m ON m.num = l.num WHERE l.num > 0"
        ),
    });
    if let Some((clicks, num)) = filter.after {
        match filter.sort {
            LinkSort::Created => sql.push(" AND l.num < ").bind(num),
            LinkSort::Clicks => sql
                .push(" AND (c.clicks, c.num) < (")
                .bind(clicks)
                .push(", ")
                .bind(num)
                .push(")"),
        };
    }
    if let Some(domain) = &filter.domain {
        sql.push(" AND l.domain = ").bind(domain.as_str());
    }
    if let Some(tag) = &filter.tag {
        sql.push(" AND l.num IN (SELECT num FROM link_tags WHERE tag = ")
            .bind(tag.as_str())
            .push(")");
    }
    if let Some(search) = &filter.search {
        sql.push(" AND l.search LIKE ")
            .bind(pattern(search))
            .push(" ESCAPE '\\'");
    }
    if let Some(status) = filter.status {
        push_status(&mut sql, status, tx.now().micros());
    }
    sql.push(match filter.sort {
        LinkSort::Created => " ORDER BY l.num DESC LIMIT ",
        LinkSort::Clicks => " ORDER BY c.clicks DESC, c.num DESC LIMIT ",
    });
    sql.bind(filter.limit);
    sql
}

fn push_status(sql: &mut SqlBuilder, status: LinkStatus, now: i64) {
    match status {
        LinkStatus::Disabled => sql.push(" AND l.enabled = 0"),
        LinkStatus::Expired => sql.push(" AND l.enabled = 1 AND l.expires_at <= ").bind(now),
        LinkStatus::Exhausted => sql
            .push(" AND l.enabled = 1 AND m.used >= m.max_clicks AND (l.expires_at IS NULL OR l.expires_at > ")
            .bind(now)
            .push(")"),
        LinkStatus::Active => sql
            .push(" AND l.enabled = 1 AND (m.num IS NULL OR m.used < m.max_clicks) AND (l.expires_at IS NULL OR l.expires_at > ")
            .bind(now)
            .push(")"),
    };
}

/// Anywhere in the text; what `LIKE` would read as a wildcard stands for itself.
fn pattern(search: &str) -> String {
    let mut out = String::from("%");
    for c in search.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// The sort key of a link: what its cursor says.
pub(crate) fn key(found: &Found) -> (i64, i64) {
    let Clicks { total, .. } = found.1;
    (i64::try_from(total).unwrap_or(i64::MAX), found.0.num)
}

/// The tags in use, most used first.
pub(crate) async fn tags(tx: &mut Tx<'_>) -> Result<Vec<TagCount>> {
    let rows = tx.query(&TAGS, &[]).await?;
    rows.iter()
        .map(|row| {
            let n: i64 = row.get(1)?;
            Ok(TagCount {
                name: row.get(0)?,
                links: u64::try_from(n).unwrap_or(0),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
