//! Links as rows of a table (CSV): which columns are read and written.

use contracts::links::{CreateLink, LinkView, Moment};

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
        for (value, column) in row.zip(&self.0) {
            if let (Some(column), false) = (column, value.trim().is_empty()) {
                set(&mut link, column, value.trim())?;
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
        "tags" => {
            let tags = value
                .split([',', '|', ';'])
                .map(str::trim)
                .filter(|t| !t.is_empty());
            link.tags = tags.map(str::to_owned).collect();
        }
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
        // What an export tells besides is not imported.
        _ => {}
    }
    Ok(())
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
        link.code.clone(),
        text(&link.domain),
        text(&link.title),
        text(&link.notes),
        cell(&link.tags.join(",")),
        text(&link.external_id),
        link.enabled.to_string(),
        link.status.to_string(),
        text(&link.cache_control),
        link.forward_query.to_string(),
        link.expires_at
            .map_or_else(String::new, |at| at.to_string()),
        text(&link.expired_url),
        link.max_clicks.map_or_else(String::new, |n| n.to_string()),
        link.clicks.to_string(),
        link.created_at.to_string(),
        link.short_url.clone(),
    ]
}

/// A cell that a spreadsheet would run as a formula gets a quote in front.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &[&str], row: &[&str]) -> Result<CreateLink, String> {
        Columns::of_head(head.iter().copied())
            .0
            .link(row.iter().copied())
    }

    #[test]
    fn columns_are_found_by_their_names_in_any_order() {
        let link = read(
            &["Title", "LONG_URL", "keyword", "Tags"],
            &["T", "https://a.example", "abc", "x|y"],
        );
        let link = link.expect("a link");
        assert_eq!(
            (link.url.as_str(), link.code.as_deref()),
            ("https://a.example", Some("abc"))
        );
        assert_eq!(link.tags, ["x", "y"]);
    }

    #[test]
    fn a_table_without_a_head_begins_with_urls() {
        let (columns, head) = Columns::of_head(["https://a.example"].into_iter());
        assert!(!head);
        assert_eq!(
            columns
                .link(["https://a.example"].into_iter())
                .expect("a link")
                .url,
            "https://a.example"
        );
    }

    #[test]
    fn a_cell_that_cannot_be_read_is_named() {
        let error =
            read(&["url", "max_clicks"], &["https://a.example", "many"]).expect_err("no number");
        assert_eq!(error, "max_clicks: 'many' is not a number that fits");
        assert_eq!(
            read(&["url", "code"], &["", "abc"]),
            Err("the url is missing".to_owned())
        );
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(cell("https://a.example"), "https://a.example");
    }
}
