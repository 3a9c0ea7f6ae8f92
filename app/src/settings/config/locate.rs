//! Finds the line and column of a key in a TOML text.

use toml::de::{DeTable, DeValue};

/// A place in a text, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The place of byte `at`. Columns count characters.
pub(super) fn place(text: &str, at: usize) -> Place {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// Where the key `path` (dotted) stands in `text`, if it does.
pub(super) fn key(text: &str, path: &str) -> Option<Place> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let (name, value) = table.iter().find(|(name, _)| name.get_ref() == step)?;
        match (steps.peek().is_none(), value.get_ref()) {
            (false, DeValue::Table(inner)) => table = inner,
            // The rest of the path points into a value: the key is the nearest place.
            _ => return Some(place(text, name.span().start)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_tables_and_dotted_keys() {
        let text = "listen = '1'\n\n[store]\n  url = 'x'\ncache.url = 1\n[bus]\nurl = 'é'\n";
        assert_eq!(key(text, "listen"), Some(Place { line: 1, column: 1 }));
        assert_eq!(key(text, "store.url"), Some(Place { line: 4, column: 3 }));
        assert_eq!(
            key(text, "store.cache.url"),
            Some(Place { line: 5, column: 7 })
        );
        assert_eq!(key(text, "bus.nothing"), None);
    }
}
