//! What somebody may do: a list of scopes such as `links:read`.

use std::fmt;
use std::sync::Arc;

/// The most scopes that one caller has.
const SCOPES_MAX: usize = 64;
/// The longest scope, in characters.
const SCOPE_CHARS_MAX: usize = 64;

/// The rights of a caller, in the form of OAuth 2.0 scopes (RFC 6749, 3.3): `SERVICE:ACTION`, where either may be
/// `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Which);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    All,
    Only(Arc<[Box<str>]>),
}

/// The text is no list of scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no scope; write SERVICE:ACTION, such as links:read, links:* or *:read")]
pub struct ScopeError(String);

impl Scopes {
    /// Everything.
    pub const ALL: Self = Self(Which::All);

    /// Nothing at all.
    #[must_use]
    pub fn none() -> Self {
        Self(Which::Only(Arc::new([])))
    }

    /// Reads scopes that are separated by spaces or commas; `*` is everything, nothing is nothing.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        let words: Vec<Box<str>> = words.map(Into::into).collect();
        if words.iter().any(|word| &**word == "*") {
            return Ok(Self::ALL);
        }
        let wrong = words.iter().find(|word| !is_scope(word));
        match wrong.or_else(|| words.get(SCOPES_MAX)) {
            Some(wrong) => Err(ScopeError(wrong.to_string())),
            None => Ok(Self(Which::Only(words.into()))),
        }
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub fn allow(&self, scope: &str) -> bool {
        let Which::Only(granted) = &self.0 else {
            return true;
        };
        let Some((service, action)) = scope.split_once(':') else {
            return false;
        };
        granted
            .iter()
            .filter_map(|one| one.split_once(':'))
            .any(|(of, to)| (of == "*" || of == service) && (to == "*" || to == action))
    }
}

fn is_scope(word: &str) -> bool {
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
    let part = |text: &str| text == "*" || (!text.is_empty() && text.bytes().all(plain));
    let halves = word.split_once(':');
    word.len() <= SCOPE_CHARS_MAX && halves.is_some_and(|(of, to)| part(of) && part(to))
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Which::All => f.write_str("*"),
            Which::Only(granted) => f.write_str(&granted.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_written_and_asked() {
        let some = Scopes::parse("links:read, tasks:*").unwrap();
        assert_eq!(some.to_string(), "links:read,tasks:*");
        assert_eq!(Scopes::parse(&some.to_string()), Ok(some.clone()));
        assert!(some.allow("links:read") && some.allow("tasks:write"));
        assert!(!some.allow("links:write") && !some.allow("links") && !some.allow(""));
        assert!(Scopes::parse("x:y *").unwrap().allow("links:write"));
        assert_eq!(Scopes::parse(""), Ok(Scopes::none()));
    }

    #[test]
    fn what_is_no_scope_is_named() {
        for wrong in [
            "links",
            "links:",
            ":read",
            "links:re ad:",
            "Links:read",
            "a:b:c",
            "*:r*",
        ] {
            assert!(Scopes::parse(wrong).is_err(), "{wrong}");
        }
        let many: Vec<String> = (0..=SCOPES_MAX).map(|n| format!("s{n}:read")).collect();
        assert!(Scopes::parse(&many.join(" ")).is_err());
    }
}
