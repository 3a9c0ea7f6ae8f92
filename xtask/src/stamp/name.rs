//! The name of a service in the forms that code and files need.

use anyhow::{Result, bail};

/// Longest name in characters: it becomes a PostgreSQL schema, a label and a path.
const NAME_CHARS_MAX: usize = 32;
/// Names that mean something else in this workspace, or to Rust.
const TAKEN: &[&str] = &[
    "abstract",
    "admin",
    "alloc",
    "api",
    "app",
    "async",
    "blobs",
    "bus",
    "cache",
    "config",
    "console",
    "const",
    "contracts",
    "core",
    "crate",
    "docs",
    "domain",
    "dyn",
    "enum",
    "events",
    "extern",
    "gen",
    "health",
    "http",
    "impl",
    "jobs",
    "kernel",
    "lab",
    "macro",
    "match",
    "mesh",
    "metrics",
    "move",
    "platform",
    "proc",
    "public",
    "registry",
    "rpc",
    "self",
    "service",
    "services",
    "static",
    "std",
    "storage",
    "store",
    "struct",
    "super",
    "system",
    "telemetry",
    "test",
    "testkit",
    "trace",
    "tradewind",
    "trait",
    "try",
    "type",
    "union",
    "unsafe",
    "unsized",
    "virtual",
    "web",
    "where",
    "while",
    "xtask",
    "yield",
];

/// A service's name: a plural noun in lower case, such as `parcels`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Checks a name as it was typed.
    pub fn parse(text: &str) -> Result<Self> {
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        let plain = text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !starts || !plain || text.len() < 3 || text.len() > NAME_CHARS_MAX {
            bail!(
                "`{text}` is no service name: use one word of 3 to {NAME_CHARS_MAX} of a-z and 0-9, such as `parcels`"
            );
        }
        if TAKEN.contains(&text) {
            bail!("`{text}` is taken: choose another noun");
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as it was typed: the folder, the package, the module, the schema, the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `parcel`: one of them.
    pub fn item(&self) -> String {
        singular(&self.0)
    }

    /// Puts the name in the place of each placeholder.
    pub fn fill(&self, text: &str) -> String {
        let (name, item) = (self.0.clone(), self.item());
        [
            ("__Name__", crate::tidy::names::camel(&name)),
            ("__Item__", crate::tidy::names::camel(&item)),
            ("__name__", name),
            ("__item__", item),
        ]
        .iter()
        .fold(text.to_owned(), |text, (placeholder, value)| {
            text.replace(placeholder, value)
        })
    }
}

/// One of a plural noun; a noun that is no plural gets a suffix, so that the two never clash.
fn singular(plural: &str) -> String {
    let stem = |ending: &str| plural.strip_suffix(ending);
    if let Some(stem) = stem("ies") {
        format!("{stem}y")
    } else if let Some(stem) = stem("xes") {
        format!("{stem}x")
    } else if let Some(stem) = stem("s").filter(|stem| !stem.ends_with('s')) {
        stem.to_owned()
    } else {
        format!("{plural}_item")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fills_every_form() {
        let name = Name::parse("boxes").unwrap();
        assert_eq!(
            name.fill("__name__ __Name__ __item__ __Item__"),
            "boxes Boxes box Box"
        );
        let name = Name::parse("search").unwrap();
        assert_eq!(
            name.fill("__name__ __Name__ __item__ __Item__"),
            "search Search search_item SearchItem"
        );
    }

    #[test]
    fn one_of_a_noun_never_equals_the_noun() {
        let one = |name: &str| Name::parse(name).unwrap().item();
        assert_eq!(one("parcels"), "parcel");
        assert_eq!(one("deliveries"), "delivery");
        assert_eq!(one("press"), "press_item");
    }

    #[test]
    fn a_name_that_would_not_work_is_refused() {
        for bad in [
            "",
            "a",
            "Parcels",
            "9lives",
            "rate-limits",
            "rate_limits",
            "a b",
            "../x",
            "kernel",
            "web",
            "type",
        ] {
            assert!(Name::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
