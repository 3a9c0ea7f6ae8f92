//! The name of a service in the forms that code and files need.

use anyhow::{Result, bail};

/// Longest name in characters: it becomes a PostgreSQL schema, a label and a path.
const NAME_CHARS_MAX: usize = 32;
/// Names that mean something else in this workspace, or to Rust.
const TAKEN: &[&str] = &[
    "app",
    "contracts",
    "platform",
    "services",
    "console",
    "xtask",
    "lab",
    "docs",
    "kernel",
    "mesh",
    "storage",
    "bus",
    "cache",
    "web",
    "testkit",
    "telemetry",
    "blobs",
    "tradewind",
    "core",
    "std",
    "alloc",
    "test",
    "self",
    "super",
    "crate",
    "public",
    "rpc",
    "api",
    "admin",
    "metrics",
    "registry",
];

/// A service's name: a plural noun in lower case, such as `parcels`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    kebab: String,
}

impl Name {
    /// Checks a name as it was typed.
    pub fn parse(text: &str) -> Result<Self> {
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        let plain = text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !starts
            || !plain
            || text.ends_with('-')
            || text.contains("--")
            || text.len() > NAME_CHARS_MAX
        {
            bail!(
                "`{text}` is no service name: use up to {NAME_CHARS_MAX} of a-z, 0-9 and inner dashes, such as `parcels`"
            );
        }
        if TAKEN.contains(&text) {
            bail!("`{text}` is taken: choose another noun");
        }
        Ok(Self {
            kebab: text.to_owned(),
        })
    }

    /// `parcel-boxes`: the folder and package.
    pub fn kebab(&self) -> &str {
        &self.kebab
    }

    /// `parcel_boxes`: the module.
    pub fn snake(&self) -> String {
        self.kebab.replace('-', "_")
    }

    /// `parcel_box`: one of them.
    pub fn item(&self) -> String {
        singular(&self.snake())
    }

    /// Puts the name in the place of each placeholder.
    pub fn fill(&self, text: &str) -> String {
        let (snake, item) = (self.snake(), self.item());
        [
            ("__name__", snake.clone()),
            ("__kebab__", self.kebab.clone()),
            ("__Name__", crate::tidy::names::camel(&snake)),
            ("__NAME__", snake.to_uppercase()),
            ("__item__", item.clone()),
            ("__Item__", crate::tidy::names::camel(&item)),
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
    } else if let Some(stem) = stem("xes").map(|stem| format!("{stem}x")) {
        stem
    } else if let Some(stem) = stem("s").filter(|stem| !stem.ends_with('s') && stem.len() > 1) {
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
        let name = Name::parse("parcel-boxes").unwrap();
        let filled = name.fill("__name__ __kebab__ __Name__ __NAME__ __item__ __Item__");
        assert_eq!(
            filled,
            "parcel_boxes parcel-boxes ParcelBoxes PARCEL_BOXES parcel_box ParcelBox"
        );
    }

    #[test]
    fn one_of_a_noun_never_equals_the_noun() {
        let one = |name: &str| Name::parse(name).unwrap().item();
        assert_eq!(one("parcels"), "parcel");
        assert_eq!(one("deliveries"), "delivery");
        assert_eq!(one("search"), "search_item");
        assert_eq!(one("press"), "press_item");
    }

    #[test]
    fn a_name_that_would_not_work_is_refused() {
        for bad in [
            "", "Parcels", "9lives", "parcels-", "a--b", "a b", "../x", "kernel", "web",
        ] {
            assert!(Name::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
