//! A directory of a test's own.
//!
//! Of our own making, because the usual crate turns features of shared libraries on: with it, the program
//! among the tests and the program alone were two builds of nearly everything.

use std::fs::DirBuilder;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// How many names are tried.
const ATTEMPTS_MAX: usize = 16;

/// A new directory below the system's directory for temporary files, for its owner alone. It goes with this
/// value, and what is in it too.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// Makes the directory.
    pub fn new() -> std::io::Result<Self> {
        Self::named("test")
    }

    /// Makes a directory whose name begins with `tradewind-` and `name`.
    pub(crate) fn named(name: &str) -> std::io::Result<Self> {
        for _ in 0..ATTEMPTS_MAX {
            let random = RandomState::new().hash_one(std::process::id());
            let path = std::env::temp_dir().join(format!("tradewind-{name}-{random:016x}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::AlreadyExists, "every name was taken"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the directory where it is, and tells where.
    pub(crate) fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What still writes there is a process that the test lets go; it is no failure of the test.
            std::fs::remove_dir_all(&self.path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_the_owners_alone_and_goes_with_its_value() {
        let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        assert_ne!(one.path(), two.path());
        let mode = std::fs::metadata(one.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let path = one.path().to_owned();
        std::fs::write(path.join("file"), "text").unwrap();
        drop(one);
        assert!(!path.exists());
        let kept = two.keep();
        assert!(kept.exists());
        std::fs::remove_dir(kept).unwrap();
    }
}
