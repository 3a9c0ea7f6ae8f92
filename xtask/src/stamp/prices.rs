//! The rows of a stamped service in the price list: they say that nothing is measured yet.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::name::Name;
use crate::source::Source;
use crate::tidy::prices::{PAGE, UNMEASURED, knob_of};

/// Adds a row for each knob of the stamped service; gives back the page, from the root.
pub fn add(root: &Path, name: &Name) -> Result<String> {
    let name = name.as_str();
    let mut rows = String::new();
    for file in super::files(&root.join("services").join(name).join("src"))? {
        if file.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = Source::new(&file.to_string_lossy(), crate::read(&file)?);
        for knob in &source.scan().declared {
            rows.push_str(&format!(
                "| [{name}.{}](../services/{name}/README.md#design-choices) | {UNMEASURED} |\n",
                knob.text
            ));
        }
    }
    let path = root.join(PAGE);
    let page = crate::read(&path)?;
    let Some(page) = with_rows(&page, &rows) else {
        bail!("{PAGE} has no table of prices: write it again");
    };
    std::fs::write(&path, page).with_context(|| format!("write {PAGE}"))?;
    Ok(PAGE.to_owned())
}

/// The page with more rows after the last one of its table.
fn with_rows(page: &str, rows: &str) -> Option<String> {
    let mut end = None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        at += line.len();
        if knob_of(line).is_some() {
            end = Some(at);
        }
    }
    let end = end?;
    Some(format!("{}{rows}{}", &page[..end], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::with_rows;

    #[test]
    fn rows_stand_after_the_last_of_the_table() {
        let page = "# P\n\n| knob |\n|---|\n| [a.b](c) | x |\n| [a.c](c) | x |\n\nEnd\n";
        let want = page.replace("\n\nEnd", "\nNEW\n\nEnd");
        assert_eq!(with_rows(page, "NEW\n").as_deref(), Some(want.as_str()));
        assert_eq!(with_rows("# P\n", "NEW\n"), None);
    }
}
