//! Registrations: the lines by which the rest of the workspace learns of a new service.
//!
//! A place is a comment that holds the line to come, with placeholders:
//! `// new-service: pub mod __name__;`. The filled line is put above the comment, with its indentation,
//! so the next service finds the place again. `||` in the template starts another line.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::name::Name;

const MARK: &str = "new-service: ";
/// Files and folders that may hold a place, and whether one must be there.
const PLACES: &[(&str, bool)] = &[
    ("Cargo.toml", true),
    ("contracts/src", true),
    ("app/Cargo.toml", true),
    ("app/src", true),
    ("app/tests", false),
    ("lab/experiments/src", true),
];

/// Fills every place below `root`; gives back the files that it changed, from the root.
pub fn all(root: &Path, name: &Name) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for (place, needed) in PLACES {
        let path = root.join(place);
        let files = if path.is_dir() {
            super::files(&path)?
        } else {
            vec![path]
        };
        let before = changed.len();
        for file in files.iter().filter(|file| file.is_file()) {
            let text = crate::read(file)?;
            if let Some(filled) = fill(&text, name) {
                std::fs::write(file, filled)
                    .with_context(|| format!("write {}", file.display()))?;
                changed.push(
                    file.strip_prefix(root)
                        .unwrap_or(file)
                        .to_string_lossy()
                        .into_owned(),
                );
            }
        }
        if *needed && changed.len() == before {
            bail!("no `{MARK}..` comment in {place}: put one where a service is registered");
        }
    }
    Ok(changed)
}

/// The text with one more line above each mark; `None` where there is no mark.
pub fn fill(text: &str, name: &Name) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut found = false;
    for line in text.split_inclusive('\n') {
        if let Some(template) = template(line) {
            found = true;
            let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
            for part in template.split("||") {
                out.push_str(&format!("{indent}{}\n", name.fill(part.trim())));
            }
        }
        out.push_str(line);
    }
    found.then_some(out)
}

fn template(line: &str) -> Option<&str> {
    let comment = line.trim();
    let words = comment
        .strip_prefix("//")
        .or_else(|| comment.strip_prefix('#'))?;
    words.trim_start().strip_prefix(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_put_above_its_mark_and_the_mark_stays() {
        let name = Name::parse("parcels").unwrap();
        let text = "pub mod links;\n    // new-service: pub mod __name__; || use __Name__;\nrest\n";
        let want = "pub mod links;\n    pub mod parcels;\n    use Parcels;\n    \
                    // new-service: pub mod __name__; || use __Name__;\nrest\n";
        assert_eq!(fill(text, &name).as_deref(), Some(want));
    }

    #[test]
    fn a_text_without_a_mark_is_left_alone() {
        let name = Name::parse("parcels").unwrap();
        assert_eq!(fill("let mark = \"new-service: x\";\n", &name), None);
    }
}
