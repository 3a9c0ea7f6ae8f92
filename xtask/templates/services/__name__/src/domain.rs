//! The rules of __name__: pure, with time and ids passed in.

use contracts::__name__::{Create__Item__, __Item__, __Name__Error};
use kernel::{Choice, Id, Timestamp};

/// The longest name, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 100;

/// In which order a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

impl Choice for Order {
    const ALL: &'static [(&'static str, Self)] =
        &[("newest", Self::Newest), ("oldest", Self::Oldest)];
}

/// The __item__ that a request asks for, or what is wrong with it.
pub(crate) fn create(request: &Create__Item__, id: Id, now: Timestamp) -> Result<__Item__, __Name__Error> {
    let name = request.name.trim();
    if name.is_empty() {
        return Err(invalid("a name is needed; send at least one character"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(invalid(format!("the name is too long; use up to {NAME_CHARS_MAX} characters")));
    }
    Ok(__Item__ { id, name: name.to_owned(), created_at: now })
}

fn invalid(reason: impl Into<String>) -> __Name__Error {
    __Name__Error::Invalid { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Result<__Item__, __Name__Error> {
        let request = Create__Item__ { name: name.to_owned() };
        create(&request, Id::from_u128(1), Timestamp(7))
    }

    #[test]
    fn a_name_is_trimmed_and_kept() {
        assert_eq!(named(" first ").map(|made| made.name), Ok("first".to_owned()));
    }

    #[test]
    fn an_empty_or_endless_name_is_refused() {
        assert!(named("  ").is_err());
        assert!(named(&"x".repeat(NAME_CHARS_MAX)).is_ok());
        assert!(named(&"x".repeat(NAME_CHARS_MAX + 1)).is_err());
    }
}
