//! `stamp-test`: proves that a stamped service compiles, keeps the house rules and runs everywhere.
//!
//! It copies the tracked files into `target/stamp/tree`, stamps `parcels` there, and runs what a
//! developer would run. Its target folder begins with the libraries that are built already, and is
//! kept between runs.

mod system;
mod topologies;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::Outcome;
use crate::stamp;
use crate::workspace::Workspace;

/// The service that is stamped.
const NAME: &str = "parcels";
/// What is run in the copy, in order.
const STEPS: &[&[&str]] = &[
    &["xtask", "graph"],
    &["xtask", "tidy"],
    &[
        "clippy",
        "-p",
        NAME,
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ],
    &[
        "clippy",
        "-p",
        "contracts",
        "-p",
        "tradewind",
        "--",
        "-D",
        "warnings",
    ],
    &["test", "-p", NAME],
    // The page about the configuration is written anew, as `new-service` says. With xtask, shared
    // libraries have the features that they have in the seeded build.
    &[
        "test",
        "-p",
        "tradewind",
        "-p",
        "xtask",
        "--test",
        "it",
        "--",
        "configuration::",
        "killed::no_process",
    ],
    &["xtask", "tidy"],
];

/// Runs the whole proof on a copy of the workspace at `root`.
pub fn run(root: &Path) -> Result<Outcome> {
    let base = root.join("target/stamp");
    let tree = base.join("tree");
    copy(root, &tree)?;
    seed(&root.join("target/debug"), &base.join("debug"))?;
    stamp::run(&tree, NAME)?;
    let mut text = String::new();
    for step in STEPS {
        let started = Instant::now();
        let status = Command::new("cargo")
            .args(*step)
            .current_dir(&tree)
            .env("CARGO_TARGET_DIR", &base)
            .env("UPDATE_DOCS", "1")
            // The child is another workspace: what cargo told us about ours would mislead it.
            .env_remove("CARGO_MANIFEST_DIR")
            .status()
            .with_context(|| format!("run cargo {}", step.join(" ")))?;
        if !status.success() {
            bail!(
                "in a copy with the stamped service, `cargo {}` failed; see {}",
                step.join(" "),
                tree.display()
            );
        }
        text.push_str(&format!(
            "{:>6.1} s  cargo {}\n",
            started.elapsed().as_secs_f64(),
            step.join(" ")
        ));
    }
    for topology in topologies::ALL {
        let started = Instant::now();
        let program = base.join("debug/tradewind");
        let told = topologies::tell_story(&program, topology, NAME);
        let skipped = told.as_ref().err().and_then(missing);
        if skipped.is_none() {
            told?;
        }
        text.push_str(&format!(
            "{:>6.1} s  {}{}\n",
            started.elapsed().as_secs_f64(),
            topology.name,
            skipped.map_or_else(String::new, |why| format!(": skipped: {why}"))
        ));
    }
    text.push_str(&format!("the stamped service `{NAME}` passes\n"));
    Ok(Outcome {
        text,
        success: true,
    })
}

/// What a topology lacks on a user's machine; in CI nothing may be missing.
fn missing(error: &anyhow::Error) -> Option<String> {
    let why = format!("{error:#}");
    let in_ci = std::env::var_os("CI").is_some();
    (!in_ci && why.contains("what is not installed here")).then_some(why)
}

/// Gives the copy what is built already of other people's crates, so that only ours are built again.
///
/// The files are linked, not copied: cargo writes to none that it finds fresh, and what it builds
/// for the copy has other names, because they hold the path of the workspace.
fn seed(from: &Path, to: &Path) -> Result<()> {
    if to.exists() || !from.exists() {
        return Ok(());
    }
    ["deps", "build", ".fingerprint"]
        .iter()
        .try_for_each(|name| link(&from.join(name), &to.join(name)))
}

fn link(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return std::fs::hard_link(from, to).with_context(|| format!("link {}", from.display()));
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("list {}", from.display()))? {
        let name = entry?.file_name();
        link(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// Copies the workspace's files. A file that has not changed keeps its time, so cargo does not rebuild.
fn copy(root: &Path, tree: &Path) -> Result<()> {
    let workspace = Workspace::load(root)?;
    let mut wanted = BTreeSet::new();
    for path in &workspace.files {
        let (from, to) = (root.join(path), tree.join(path));
        let bytes = std::fs::read(&from).with_context(|| format!("read {path}"))?;
        if std::fs::read(&to).ok().as_deref() != Some(&bytes) {
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::copy(&from, &to).with_context(|| format!("copy {path}"))?;
        }
        wanted.insert(to);
    }
    remove_others(tree, &wanted)
}

/// Removes what an earlier run stamped, or what is gone from the workspace.
fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
            // Fails, rightly, where the folder is not empty.
            std::fs::remove_dir(&path).ok();
        } else if !wanted.contains(&path) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
