//! `stamp-test`: proves that a stamped service compiles, keeps the house rules and runs everywhere.
//!
//! It copies the tracked files into `target/stamp/tree`, stamps `parcels` there, and runs what a
//! developer would run. Its target folder begins with what is built already, so only what the new service
//! touches is built again, and is kept between runs.

mod topologies;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::suite::binary::{self, Binary};
use crate::workspace::Workspace;
use crate::{Outcome, graph, stamp, tidy};

/// The service that is stamped.
const NAME: &str = "parcels";
/// The tests of the program that a new service touches. The first writes the page about the configuration anew,
/// as `new-service` says.
const OF_PROGRAM: &[&str] = &["configuration::", "killed::no_process"];

/// Runs a command to its end, and fails if it does.
pub type Run<'a> = dyn Fn(&mut Command) -> Result<()> + 'a;

/// Runs a command with its output on the terminal.
pub fn in_sight(command: &mut Command) -> Result<()> {
    let status = command.status().context("start a command")?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// Runs the whole proof on a copy of the workspace at `root`.
pub fn run(root: &Path, run: &Run<'_>) -> Result<Outcome> {
    let base = root.join("target/stamp");
    let tree = base.join("tree");
    let mut text = String::new();
    let mut step = |name: &str, work: &mut dyn FnMut() -> Result<()>| {
        let started = Instant::now();
        work().with_context(|| format!("{name}, in {}", tree.display()))?;
        text.push_str(&format!(
            "{:>6.1} s  {name}\n",
            started.elapsed().as_secs_f64()
        ));
        Ok::<_, anyhow::Error>(())
    };
    step("copy and stamp", &mut || {
        copy(root, &tree)?;
        seed(&root.join("target/debug"), &base.join("debug"))?;
        stamp::run(&tree, NAME).map(|_| ())
    })?;
    step("graph and tidy", &mut || {
        graph::write(&Workspace::load(&tree)?)?;
        in_order(&tree)
    })?;
    let mut binaries = Vec::new();
    step("build, with clippy", &mut || {
        binaries = build(&tree, &base, run)?;
        Ok(())
    })?;
    step("its tests", &mut || test(&binaries, run))?;
    step("tidy", &mut || in_order(&tree))?;
    for topology in topologies::ALL {
        step(topology.name, &mut || {
            let told = topologies::tell_story(&base.join("debug/tradewind"), topology, NAME);
            match told.as_ref().err().and_then(missing) {
                None => told,
                Some(why) => {
                    crate::say(&format!("skipped: {why}"));
                    Ok(())
                }
            }
        })?;
    }
    text.push_str(&format!("the stamped service `{NAME}` passes\n"));
    Ok(Outcome {
        text,
        success: true,
    })
}

/// Holds the copy to the house rules.
fn in_order(tree: &Path) -> Result<()> {
    let outcome = tidy::run(&Workspace::load(tree)?)?;
    ensure!(outcome.success, "{}", outcome.text);
    Ok(())
}

/// Builds everything in the copy. Clippy sees it, as the compiler or by itself.
fn build(tree: &Path, base: &Path, run: &Run<'_>) -> Result<Vec<Binary>> {
    let cargo = || {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(tree).env("CARGO_TARGET_DIR", base);
        // The child is another workspace: what cargo told us about ours would mislead it.
        cargo.env_remove("CARGO_MANIFEST_DIR");
        cargo
    };
    // The lock file gets the new crate.
    run(cargo().args(["update", "--workspace", "--offline", "--quiet"]))?;
    if std::env::var_os("RUSTC_WORKSPACE_WRAPPER").is_none() {
        run(cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]))?;
    }
    binary::build_with(cargo())
}

/// Runs the tests of the service, and of the program those that know every service.
fn test(binaries: &[Binary], run: &Run<'_>) -> Result<()> {
    let mut count = 0;
    for binary in binaries {
        let filters: &[&str] = match binary.label().as_str() {
            "tradewind it" => OF_PROGRAM,
            _ if binary.package == NAME => &[],
            _ => continue,
        };
        count += 1;
        let mut command = Command::new(&binary.path);
        command
            .args(filters)
            .current_dir(&binary.folder)
            .env("UPDATE_DOCS", "1");
        run(command.env("CARGO_MANIFEST_DIR", &binary.folder))?;
    }
    ensure!(
        count >= 2,
        "the tests of {NAME} and of the program are not among the binaries"
    );
    Ok(())
}

/// What a topology lacks on a user's machine; in CI nothing may be missing.
fn missing(error: &anyhow::Error) -> Option<String> {
    let why = format!("{error:#}");
    let in_ci = std::env::var_os("CI").is_some();
    (!in_ci && why.contains("what is not installed here")).then_some(why)
}

/// Gives the copy what is built already, so that only what the new service touches is built again.
///
/// Libraries are linked and not copied: compilers replace such files, they do not write into them. What cargo
/// notes about them it does write into, so the notes are copied.
fn seed(from: &Path, to: &Path) -> Result<()> {
    if to.exists() || !from.exists() {
        return Ok(());
    }
    for name in ["deps", "build"] {
        each(&from.join(name), &to.join(name), &|from, to| {
            std::fs::hard_link(from, to)
        })?;
    }
    each(
        &from.join(".fingerprint"),
        &to.join(".fingerprint"),
        &keep_time,
    )
}

/// Copies a file with the time of its last change, by which cargo tells whether it is fresh.
fn keep_time(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to)?;
    let modified = std::fs::metadata(from)?.modified()?;
    std::fs::File::options()
        .write(true)
        .open(to)?
        .set_modified(modified)
}

/// Does `give` with every file below a folder.
fn each(from: &Path, to: &Path, give: &dyn Fn(&Path, &Path) -> std::io::Result<()>) -> Result<()> {
    if !from.is_dir() {
        return give(from, to).with_context(|| format!("give {}", from.display()));
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("list {}", from.display()))? {
        let name = entry?.file_name();
        each(&from.join(&name), &to.join(&name), give)?;
    }
    Ok(())
}

/// Copies the workspace's files with their times, so that cargo finds fresh what has not changed.
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
            keep_time(&from, &to).with_context(|| format!("copy {path}"))?;
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
