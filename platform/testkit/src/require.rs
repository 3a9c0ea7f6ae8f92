//! Finding servers on PATH, and what to do when one is missing.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Whether this is a CI run, where nothing may be skipped.
#[must_use]
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|v| v == "true" || v == "1")
}

/// Says that a test is skipped because `what` is missing; in CI that is a failure.
///
/// # Panics
///
/// When `CI=true`.
pub fn skipped(what: &str, install: &str) {
    assert!(
        !in_ci(),
        "{what} is missing, and in CI nothing is skipped; {install}"
    );
    // Not `println!`: what a passing test prints is kept back, and this is to be seen.
    let said = writeln!(std::io::stderr(), "skipped: {what} is missing; {install}");
    drop(said);
}

/// The program `name` on PATH, or in one of the directories where distributions hide servers.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(postgres_directories())
        .map(|dir| dir.join(name))
        .find(|candidate| is_executable(candidate))
}

/// `/usr/lib/postgresql/<version>/bin`, newest first: Debian keeps the server out of PATH.
fn postgres_directories() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, dir)| dir).collect()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
