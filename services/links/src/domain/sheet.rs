//! Links as rows of a table (CSV): which columns are read and written.

use contracts::links::{CreateLink, LinkView, Moment, Rule};

/// The columns of an export. An import reads those that it finds, in any order.
pub(crate) const COLUMNS: &[&str] = &[
    "url",
    "code",
    "domain",
    "title",
    "notes",
    "tags",
    "external_id",
    "enabled",
    "status",
    "cache_control",
    "forward_query",
    "expires_at",
    "expired_url",
    "max_clicks",
    "rules",
    "clicks",
    "created_at",
    "short_url",
];
/// Names that other shorteners give to the same columns.
const SYNONYMS: &[(&str, &str)] = &[
    ("long_url", "url"),
    ("longurl", "url"),
    ("long url", "url"),
    ("destination", "url"),
    ("target", "url"),
    ("original_url", "url"),
    ("keyword", "code"),
    ("slug", "code"),
    ("short_code", "code"),
    ("shortcode", "code"),
    ("short code", "code"),
    ("key", "code"),
    ("custom_slug", "code"),
    ("name", "title"),
    ("description", "notes"),
    ("comments", "notes"),
    ("tag", "tags"),
    ("externalid", "external_id"),
    ("expiresat", "expires_at"),
    ("valid_until", "expires_at"),
    ("max_visits", "max_clicks"),
    ("maxvisits", "max_clicks"),
];

/// What stands in which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(Vec<Option<&'static str>>);

impl Columns {
    /// Reads the first row. A table without a head has URLs in its first column, then codes.
    /// Answers also whether the row was a head.
    pub(crate) fn of_head<'a>(head: impl Iterator<Item = &'a str>) -> (Self, bool) {
        let columns: Vec<_> = head.map(column).collect();
        if columns.contains(&Some("url")) {
            (Self(columns), true)
        } else {
            (
                Self(vec![Some("url"), Some("code"), Some("title"), Some("tags")]),
                false,
            )
        }
    }

    /// The link in a row.
    pub(crate) fn link<'a>(
        &self,
        row: impl Iterator<Item = &'a str>,
    ) -> Result<CreateLink, String> {
        let mut link = CreateLink::default();
        for (cell, column) in row.zip(&self.0) {
            let Some(column) = column else { continue };
            // The names that other systems give are kept to the character.
            let exact = *column == "external_id";
            let value = plain(if exact { cell } else { cell.trim() });
            if !value.is_empty() {
                set(&mut link, column, value)?;
            }
        }
        if link.url.is_empty() {
            Err("the url is missing".to_owned())
        } else {
            Ok(link)
        }
    }
}

fn column(head: &str) -> Option<&'static str> {
    let name = head
        .trim_start_matches('\u{feff}')
        .trim()
        .to_ascii_lowercase();
    let own = COLUMNS.iter().find(|c| **c == name).copied();
    own.or_else(|| {
        SYNONYMS
            .iter()
            .find(|(theirs, _)| *theirs == name)
            .map(|(_, ours)| *ours)
    })
}

fn set(link: &mut CreateLink, column: &str, value: &str) -> Result<(), String> {
    let text = || Some(value.to_owned());
    match column {
        "url" => value.clone_into(&mut link.url),
        "code" => link.code = text(),
        "domain" => link.domain = text(),
        "title" => link.title = text(),
        "notes" => link.notes = text(),
        "tags" => link.tags = tags(value),
        "external_id" => link.external_id = text(),
        "enabled" => link.enabled = Some(flag(column, value)?),
        "status" => link.status = Some(number(column, value)?),
        "cache_control" => link.cache_control = text(),
        "forward_query" => link.forward_query = Some(flag(column, value)?),
        "expires_at" => {
            let at: Result<Moment, _> = value.parse();
            link.expires_at = Some(at.map_err(|e| format!("expires_at: {e}"))?);
        }
        "expired_url" => link.expired_url = text(),
        "max_clicks" => link.max_clicks = Some(number(column, value)?),
        "rules" => link.rules = serde_json::from_str(value).map_err(|e| format!("rules: {e}"))?,
        // What an export tells besides is not imported.
        _ => {}
    }
    Ok(())
}

/// Tags between commas; without a comma other tables have bars or semicolons between them.
fn tags(value: &str) -> Vec<String> {
    let between: &[char] = if value.contains(',') {
        &[',']
    } else {
        &['|', ';']
    };
    let tags = value.split(between).map(str::trim);
    tags.filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

fn flag(column: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{column}: write true or false, not '{value}'")),
    }
}

fn number<T: std::str::FromStr>(column: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{column}: '{value}' is not a number that fits"))
}

/// The row of a link, in the order of [`COLUMNS`].
pub(crate) fn row(link: &LinkView) -> Vec<String> {
    let text = |value: &Option<String>| cell(value.as_deref().unwrap_or_default());
    vec![
        cell(&link.url),
        cell(&link.code),
        text(&link.domain),
        text(&link.title),
        text(&link.notes),
        cell(&tag_list(&link.tags)),
        text(&link.external_id),
        link.enabled.to_string(),
        link.status.to_string(),
        text(&link.cache_control),
        link.forward_query.to_string(),
        link.expires_at
            .map_or_else(String::new, |at| at.to_string()),
        text(&link.expired_url),
        link.max_clicks.map_or_else(String::new, |n| n.to_string()),
        rule_list(&link.rules),
        link.clicks.to_string(),
        link.created_at.to_string(),
        link.short_url.clone(),
    ]
}

/// Always with a comma, so that a tag may hold what separates tags in other tables.
fn tag_list(tags: &[String]) -> String {
    match tags {
        [] => String::new(),
        [one] => format!("{one},"),
        several => several.join(","),
    }
}

/// As JSON.
fn rule_list(rules: &[Rule]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    serde_json::to_string(rules).unwrap_or_default()
}

/// What a spreadsheet would run as a formula gets a quote in front, and so does what would be read
/// back as that.
fn cell(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A cell without the quote that stands in front of a formula.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

#[cfg(test)]
pub(super) mod tests;
