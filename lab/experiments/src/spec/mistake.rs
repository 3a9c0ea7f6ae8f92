//! A mistake in the file of an experiment: where it stands, what is wrong, what to do.

use std::fmt;
use std::ops::Range;

use kernel::nearest;

/// A mistake in a file, as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong, and what to do.
    pub detail: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            detail,
        } = self;
        write!(f, "{file}:{line}:{column}: {detail}")
    }
}

impl std::error::Error for Mistake {}

impl Mistake {
    /// A mistake at `span` of `text`.
    pub(crate) fn at(file: &str, text: &str, span: Range<usize>, detail: String) -> Self {
        let before = &text[..text.floor_char_boundary(span.start)];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            detail,
        }
    }
}

/// What serde says, in our words: one line, and the nearest name for one that is not known.
pub(crate) fn in_our_words(message: &str) -> String {
    let message = message.lines().next().unwrap_or(message).trim();
    for (prefix, what) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        if let Some(rest) = message.strip_prefix(prefix) {
            let wrong = rest.split('`').next().unwrap_or(rest);
            let known: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
            return unknown(what, wrong, &known);
        }
    }
    message.replace('`', "'")
}

/// That no `what` is called `wrong`, with the nearest of `known` or all of them.
pub(crate) fn unknown(what: &str, wrong: &str, known: &[&str]) -> String {
    let near = nearest(wrong, known.iter().copied());
    match (near.is_empty(), known.is_empty()) {
        (false, _) => format!(
            "there is no {what} '{wrong}'; did you mean {}?",
            near.join(" or ")
        ),
        (true, false) => format!(
            "there is no {what} '{wrong}'; there are {}",
            known.join(", ")
        ),
        (true, true) => format!("there is no {what} '{wrong}', nor any other"),
    }
}
