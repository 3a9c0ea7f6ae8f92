//! Finds the programs, and says what to install where one is missing.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The programs of the three servers.
#[derive(Debug)]
pub(super) struct Found {
    /// The directory with `postgres` and `initdb`.
    pub(super) postgres: PathBuf,
    pub(super) redis: PathBuf,
    pub(super) nats: PathBuf,
}

pub(super) fn all() -> Result<Found> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    all_in(&dirs, &versions(Path::new("/usr/lib/postgresql")))
}

fn all_in(dirs: &[PathBuf], versions: &[PathBuf]) -> Result<Found> {
    let postgres = versions
        .iter()
        .chain(dirs)
        .find(|dir| dir.join("postgres").is_file() && dir.join("initdb").is_file());
    let redis = program(dirs, &["valkey-server", "redis-server"]);
    let nats = program(dirs, &["nats-server"]);
    let mut missing = Vec::new();
    if postgres.is_none() {
        missing.push("PostgreSQL (apt install postgresql, or brew install postgresql)");
    }
    if redis.is_none() {
        missing.push("Redis or Valkey (apt install redis-server, or brew install valkey)");
    }
    if nats.is_none() {
        missing.push("NATS (apt install nats-server, or brew install nats-server)");
    }
    match (postgres, redis, nats) {
        (Some(postgres), Some(redis), Some(nats)) => Ok(Found {
            postgres: postgres.clone(),
            redis,
            nats,
        }),
        _ => bail!(
            "--backends local needs what is not installed here: {}",
            missing.join("; ")
        ),
    }
}

fn program(dirs: &[PathBuf], names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| {
        dirs.iter()
            .map(|dir| dir.join(name))
            .find(|file| file.is_file())
    })
}

/// The `bin` directories of Debian's packages, newest version first.
fn versions(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_how_to_install_it() {
        let temp = testkit::TempDir::new().expect("a temporary directory");
        std::fs::write(temp.path().join("redis-server"), "").expect("written");
        let error = all_in(&[temp.path().to_owned()], &[]).expect_err("two are missing");
        let text = error.to_string();
        assert!(text.contains("apt install postgresql"), "{text}");
        assert!(text.contains("apt install nats-server"), "{text}");
        assert!(!text.contains("Redis"), "{text}");
    }
}
