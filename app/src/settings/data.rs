//! The data directory: who may be in it, what lies in it, and which process holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use kernel::Random;
use sha2::{Digest, Sha256};

const SECRET_BYTES: usize = 32;

/// A data directory that exists.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

/// Held while a system runs on a data directory; freed when dropped, also by a crash.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

impl DataDir {
    /// Opens `path`, making it (for its owner alone) if it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot make the data directory {}", path.display()))?;
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot find the data directory {}", path.display()))?;
        Ok(Self(path))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path inside.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Where a running system says where it is.
    #[must_use]
    pub fn ready_file(&self) -> PathBuf {
        self.join("ready.json")
    }

    /// Where API keys are kept, hashed.
    #[must_use]
    pub fn keys_file(&self) -> PathBuf {
        self.join("keys.toml")
    }

    /// Takes the directory for one system, or says who has it.
    pub fn hold(&self) -> Result<Held> {
        let path = self.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "{}", std::process::id())?;
                Ok(Held(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid)?;
                bail!(
                    "a system (process {pid}) already runs on {}; stop it, or choose another \
                     directory with --data",
                    self.0.display()
                )
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// The secret that the processes of this system share; made at first use.
    pub fn cluster_secret(&self, random: &dyn Random) -> Result<String> {
        self.secret("cluster.secret", random)
    }

    /// The secret kept in the file `name`, readable by the owner alone; made at first use.
    pub fn secret(&self, name: &str, random: &dyn Random) -> Result<String> {
        let path = self.join(name);
        if let Ok(text) = std::fs::read_to_string(&path)
            && text.trim().len() >= SECRET_BYTES
        {
            return Ok(text.trim().to_owned());
        }
        let mut bytes = [0_u8; SECRET_BYTES];
        random.fill(&mut bytes);
        let text = hex(&bytes);
        write_private(&path, text.as_bytes())?;
        Ok(text)
    }

    /// A secret for one purpose, derived from the cluster secret.
    #[must_use]
    pub fn derive(secret: &str, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(secret)
            .finalize()
            .into()
    }
}

/// Writes `path` at once (all or nothing), readable by its owner alone.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let parent = path.parent().context("the path has no directory")?;
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .context("the path has no file name")?;
    let part = parent.join(format!(".{name}.{}.part", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// `bytes` in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use kernel::SystemRandom;

    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let temp = testkit::TempDir::new().expect("a temporary directory");
        let data = DataDir::open(&temp.path().join("d")).expect("opens");
        let held = data.hold().expect("free");
        let error = data.hold().expect_err("held").to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        assert!(error.contains("--data"), "{error}");
        drop(held);
        data.hold().expect("free again");
    }

    #[test]
    fn the_secret_is_made_once_and_is_private() {
        let temp = testkit::TempDir::new().expect("a temporary directory");
        let data = DataDir::open(temp.path()).expect("opens");
        let secret = data.cluster_secret(&SystemRandom).expect("made");
        assert_eq!(secret.len(), 64);
        assert_eq!(data.cluster_secret(&SystemRandom).expect("kept"), secret);
        let mode = data
            .join("cluster.secret")
            .metadata()
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
