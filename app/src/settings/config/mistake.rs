//! A mistake in the configuration: where it stands, what is wrong, what to do.

use std::fmt;

use kernel::nearest;
use serde::Serialize;

/// A mistake in the configuration, as one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file, the environment variable or the flag.
    pub origin: String,
    /// The line, from 1, when it stands in a file.
    pub line: Option<usize>,
    /// The column, from 1, when it stands in a file.
    pub column: Option<usize>,
    /// The key, such as `store.url`; empty when the text is not TOML.
    pub key: String,
    /// What is wrong, and what to do.
    pub detail: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.detail)
    }
}

impl std::error::Error for Mistake {}

/// Says in our words what serde says about the key `path`. `all` are the known keys.
pub(super) fn explain(message: &str, path: &str, all: &[String]) -> String {
    let message = message.lines().next().unwrap_or(message).trim();
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return in_our_words(message);
    };
    let unknown = rest.split('`').next().unwrap_or(rest);
    let section = path.rsplit_once('.').map_or("", |(section, _)| section);
    let siblings: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
    let near = nearest(unknown, siblings.iter().copied());
    let full = |name: &str| {
        if section.is_empty() {
            name.to_owned()
        } else {
            format!("{section}.{name}")
        }
    };
    if let Some(best) = near.first() {
        return format!("there is no such key; did you mean {}?", full(best));
    }
    // The right word in the wrong section is a common slip.
    let elsewhere: Vec<&str> = all
        .iter()
        .filter(|key| key.rsplit('.').next() == Some(unknown))
        .map(String::as_str)
        .take(3)
        .collect();
    if !elsewhere.is_empty() {
        return format!(
            "there is no such key; did you mean {}?",
            elsewhere.join(" or ")
        );
    }
    if siblings.is_empty() {
        return "there is no such key".to_owned();
    }
    format!("there is no such key; here stand {}", siblings.join(", "))
}

fn in_our_words(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let wrong = rest.split('`').next().unwrap_or(rest);
        let allowed: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
        return format!("cannot be '{wrong}'; it can be {}", allowed.join(", "));
    }
    let mut text: String = message.replace('`', "'");
    if let Some(first) = text.get(..1).map(str::to_lowercase) {
        text.replace_range(..1, &first);
    }
    text.trim_end_matches('.').to_owned()
}
