//! API keys at rest: `keys.toml` in the data directory, hashes only, for its owner alone.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use kernel::{Ctx, Tasks};
use serde::{Deserialize, Serialize};
use web::{Keys, NewKey, StoredKey};

use crate::settings::data::write_private;

/// How often a running process looks whether the file has changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const KEYS_MAX: usize = 10_000;

/// The file of keys.
#[derive(Debug, Clone)]
pub struct KeyFile(PathBuf);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    key: Vec<StoredKey>,
}

impl KeyFile {
    /// The file at `path`, which need not be there.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Every key; nothing when there has never been one.
    pub fn list(&self) -> Result<Option<Vec<StoredKey>>> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", self.0.display()));
            }
        };
        let content: Content =
            toml::from_str(&text).with_context(|| format!("{} is damaged", self.0.display()))?;
        Ok(Some(content.key))
    }

    /// Makes a key and answers its text, which is kept nowhere.
    pub fn create(&self, new: &NewKey<'_>, ctx: &Ctx) -> Result<String, KeyFileError> {
        let mut keys = self.list()?.unwrap_or_default();
        if keys.iter().any(|key| key.name == new.name) {
            return Err(KeyFileError::Taken(new.name.to_owned()));
        }
        if keys.len() >= KEYS_MAX {
            return Err(KeyFileError::Full);
        }
        let (plain, stored) = Keys::generate(new, &*ctx.clock, &*ctx.random)
            .map_err(|error| KeyFileError::Name(error.to_string()))?;
        keys.push(stored);
        self.write(keys)?;
        Ok(plain)
    }

    /// Takes the key called `name` away.
    pub fn revoke(&self, name: &str) -> Result<(), KeyFileError> {
        let mut keys = self.list()?.unwrap_or_default();
        let before = keys.len();
        keys.retain(|key| key.name != name);
        if keys.len() == before {
            let known: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
            let near = kernel::nearest(name, known.iter().copied());
            let hint = match (near.first(), known.is_empty()) {
                (Some(near), _) => format!("did you mean '{near}'?"),
                (None, true) => "there are no keys".to_owned(),
                (None, false) => "'tradewind key list' shows them".to_owned(),
            };
            return Err(KeyFileError::Unknown(name.to_owned(), hint));
        }
        Ok(self.write(keys)?)
    }

    fn write(&self, key: Vec<StoredKey>) -> Result<()> {
        let text = toml::to_string(&Content { key })?;
        write_private(&self.0, text.as_bytes())
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

/// A key could not be created or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The name is in use.
    #[error("there is already a key called '{0}'; revoke it first, or choose another name")]
    Taken(String),
    /// The name is not one.
    #[error("{0}")]
    Name(String),
    /// No key has this name.
    #[error("no key is called '{0}'; {1}")]
    Unknown(String, String),
    /// There are too many.
    #[error("there are {KEYS_MAX} keys already; revoke one first")]
    Full,
    /// The file could not be read or written.
    #[error(transparent)]
    Io(#[from] anyhow::Error),
}

/// The keys in the file, kept up to date while `tasks` run.
///
/// Without the file everybody who can reach the listener may do everything, which is why nothing but
/// loopback may be bound then.
pub fn watched(file: KeyFile, tasks: &Tasks) -> Result<Keys> {
    let keys = Keys::none();
    let mut seen = modified(file.path());
    if let Some(stored) = file.list()? {
        keys.reload(&stored)?;
    }
    let (watched, stop) = (keys.clone(), tasks.clone());
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = stop.stopping() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = modified(file.path());
            if now == seen {
                continue;
            }
            seen = now;
            match file.list() {
                // A file that has gone away must not open the doors.
                Ok(stored) => {
                    if let Err(error) = watched.reload(&stored.unwrap_or_default()) {
                        tracing::warn!(%error, "keys.toml is not usable; the keys stay as they were");
                    }
                }
                Err(error) => tracing::warn!(%error, "keys.toml cannot be read"),
            }
        }
    });
    Ok(keys)
}

fn modified(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = path.metadata().ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_lives_from_create_to_revoke_and_only_its_hash_is_kept() {
        let temp = testkit::TempDir::new().expect("a temporary directory");
        let file = KeyFile::at(temp.path().join("keys.toml"));
        assert!(file.list().expect("readable").is_none());
        let plain = file
            .create(&NewKey::of("ci"), &Ctx::system())
            .expect("created");
        let text = std::fs::read_to_string(file.path()).expect("written");
        assert!(!text.contains(&plain) && text.contains("ci"), "{text}");
        let stored = file.list().expect("readable").expect("is there");
        let keys = Keys::of(&stored).expect("usable");
        assert_eq!(
            keys.owner(&plain).map(|owner| owner.id().to_owned()),
            Some("ci".to_owned())
        );
        assert!(matches!(
            file.create(&NewKey::of("ci"), &Ctx::system()),
            Err(KeyFileError::Taken(_))
        ));
        let error = file.revoke("co").expect_err("no such key").to_string();
        assert!(error.contains("did you mean 'ci'?"), "{error}");
        file.revoke("ci").expect("revoked");
        assert_eq!(
            file.list().expect("readable").expect("stays closed").len(),
            0
        );
    }
}
