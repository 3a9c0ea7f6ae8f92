//! The project's own chores, as functions that take a workspace and give back text.
//!
//! `tidy` holds the house rules, `graph` writes down who calls whom, `stamp` makes a new service
//! from the files in `templates/`, `stamp_test` proves that what it makes works, and `build_cost` tells
//! what each crate costs to compile.

pub mod build_cost;
pub mod ci;
pub mod finding;
pub mod flaky;
pub mod graph;
pub mod http;
pub mod running;
pub mod source;
pub mod stamp;
pub mod stamp_test;
pub mod suite;
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
        "writes docs/service-graph.txt and module-graph.txt; with --check only says what is stale",
    ),
    ("new-service", "NAME: stamps a service and registers it"),
    (
        "test",
        "[NAME] [--slowest]: runs the tests of the workspace, binaries side by side",
    ),
    (
        "ci",
        "[SECTION..]: the checks of .ci/run, which installs what they need",
    ),
    (
        "flaky",
        "[NAME | SECTION] [--rounds N]: repeats tests in bad weather, and tells each one's rate",
    ),
    (
        "stamp-test",
        "stamps a service into a copy and runs tidy, clippy and its tests there",
    ),
    (
        "build-cost",
        "[--release|--tests] [--markdown] [--from FILE]: seconds per crate and per 1,000 lines, cold",
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
        ["ci", words @ ..] => ci::run(&root, words),
        ["test", words @ ..] => suite::run(&root, &suite::Wanted::parse(words)?),
        ["flaky", words @ ..] => flaky::run(&root, &flaky::Repeat::parse(words)?),
        ["stamp-test"] => stamp_test::run(&root, &stamp_test::in_sight),
        ["build-cost", options @ ..] => build_cost::run(&root, options),
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

/// Prints a line at once: a chore that takes minutes shows how far it is.
pub(crate) fn say(line: &str) {
    use std::io::Write as _;
    // A closed pipe (`| head`) is no failure of the chore.
    writeln!(std::io::stdout().lock(), "{line}").ok();
}

/// A folder below the target folder for what a chore keeps: logs, results.
pub(crate) fn scratch(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/xtask").join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

/// Reads a file of the workspace, with its path in the error.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
