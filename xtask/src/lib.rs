//! The project's own chores, as functions that take a workspace and give back text.
//!
//! `tidy` holds the house rules, `graph` writes down who calls whom, `stamp` makes a new service
//! from the files in `templates/`, and `stamp_test` proves that what it makes works.

pub mod finding;
pub mod graph;
pub mod source;
pub mod stamp;
pub mod stamp_test;
pub mod tidy;
pub mod workspace;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// The chores by name, with the line that `cargo xtask` prints about each.
pub const COMMANDS: &[(&str, &str)] = &[
    (
        "tidy",
        "checks the house rules; prints path:line: rule: what to do",
    ),
    (
        "graph",
        "writes docs/service-graph.txt; with --check only says whether it is stale",
    ),
    ("new-service", "NAME: stamps a service and registers it"),
    (
        "stamp-test",
        "stamps a service into a copy and runs tidy, clippy and its tests there",
    ),
];

/// What a chore has to say, and whether all is well.
#[derive(Debug)]
pub struct Outcome {
    /// The text for the terminal.
    pub text: String,
    /// False makes the exit status 1.
    pub success: bool,
}

/// Runs one chore on the workspace that this program was built in.
pub fn run(arguments: &[String]) -> Result<Outcome> {
    let root = root();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::run(&Workspace::load(&root)?),
        ["graph"] => graph::write(&Workspace::load(&root)?),
        ["graph", "--check"] => graph::check(&Workspace::load(&root)?),
        ["new-service", name] => stamp::run(&root, name),
        ["stamp-test"] => stamp_test::run(&root),
        [] | ["help" | "--help" | "-h"] => Ok(Outcome {
            text: usage(),
            success: true,
        }),
        other => bail!("unknown chore `{}`\n\n{}", other.join(" "), usage()),
    }
}

/// The folder of the workspace: the parent of this crate's own folder, as it is at run time.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or(own.clone(), Path::to_path_buf)
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask CHORE\n\n");
    for (name, line) in COMMANDS {
        text.push_str(&format!("  {name:<12} {line}\n"));
    }
    text
}

/// Reads a file of the workspace, with its path in the error.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
