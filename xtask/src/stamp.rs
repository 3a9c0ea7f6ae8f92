//! `new-service NAME`: stamps the files of `xtask/templates` and registers what they hold.
//!
//! The templates are real Rust: a placeholder is an identifier (`__name__`, `__Name__`, ..), so an
//! editor and the compiler's parser read them. A registration is a line put at a marked place.

pub mod name;
pub mod prices;
pub mod register;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use self::name::Name;
use crate::Outcome;

/// Where the templates live, from the root.
const TEMPLATES: &str = "xtask/templates";

/// Stamps the service into the workspace at `root`.
pub fn run(root: &Path, name: &str) -> Result<Outcome> {
    let name = Name::parse(name)?;
    let written = stamp(root, &name)?;
    format(root, &name)?;
    let mut text: String = written.iter().map(|path| format!("  {path}\n")).collect();
    text.insert_str(0, &format!("stamped the service `{}`:\n", name.as_str()));
    text.push_str("next: change its domain and its contract to what you need, then run\n");
    text.push_str("  cargo xtask graph && cargo xtask tidy && cargo test -p ");
    text.push_str(name.as_str());
    text.push_str("\n  UPDATE_DOCS=1 cargo test -p tradewind configuration\n");
    text.push_str("and measure what its design choices cost, on a quiet machine:\n");
    text.push_str("  cargo run --release -- lab prices --markdown docs/price-list.md\n");
    Ok(Outcome {
        text,
        success: true,
    })
}

/// Lets rustfmt put the new lines in order: a name's length moves line breaks.
fn format(root: &Path, name: &Name) -> Result<()> {
    let status = Command::new("cargo")
        .args([
            "fmt",
            "-p",
            "contracts",
            "-p",
            "tradewind",
            "-p",
            name.as_str(),
        ])
        .current_dir(root)
        .status()
        .context("run cargo fmt")?;
    if !status.success() {
        bail!("cargo fmt failed on the stamped files");
    }
    Ok(())
}

/// Writes the files and the registrations; gives back what was written or changed, from the root.
pub fn stamp(root: &Path, name: &Name) -> Result<Vec<String>> {
    let taken = root.join("services").join(name.as_str());
    if taken.exists() {
        bail!(
            "services/{} exists already: choose another name",
            name.as_str()
        );
    }
    let templates = root.join(TEMPLATES);
    let mut written = Vec::new();
    for file in files(&templates)? {
        let relative = file
            .strip_prefix(&templates)
            .context("a template outside of its folder")?;
        let target = name.fill(&relative.to_string_lossy());
        let target = target.strip_suffix(".in").unwrap_or(&target).to_owned();
        let path = root.join(&target);
        if path.exists() {
            bail!("{target} exists already: choose another name");
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, name.fill(&crate::read(&file)?))
            .with_context(|| format!("write {target}"))?;
        written.push(target);
    }
    if written.is_empty() {
        bail!("{TEMPLATES} holds no files");
    }
    written.extend(register::all(root, name)?);
    written.push(prices::add(root, name)?);
    Ok(written)
}

/// Every file below a folder, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
