//! API keys: 256 random bits, kept only as their SHA-256, replaceable while the process runs.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use kernel::{Clock, DEFAULT_TENANT, Principal, Random, ScopeError, Scopes, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Every key starts with this, so that a leaked one is found by scanners.
const PREFIX: &str = "twk_";

/// A key as it is kept: useless to whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    /// Who has it.
    pub name: String,
    /// SHA-256 of the key, in hexadecimal.
    pub sha256: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it may do, such as `links:read`; everything if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// For which tenant it asks; the default one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl StoredKey {
    fn principal(&self) -> Result<Principal, KeysError> {
        check_name(&self.name)?;
        let tenant = self.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
        check_name(tenant)?;
        let scopes = self
            .scopes
            .as_deref()
            .map_or(Ok(Scopes::ALL), Scopes::parse)?;
        Ok(Principal::key(&self.name, tenant, scopes))
    }
}

/// A list of keys that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The hash is none.
    #[error("the hash of key '{name}' is not 64 hexadecimal digits; make the key anew")]
    Hash {
        /// The key's name.
        name: String,
    },
    /// A name must be short and plain.
    #[error(
        "the name of a key or a tenant is 1 to 64 characters of a-z, A-Z, 0-9, '.', '_' and '-'"
    )]
    Name,
    /// A scope must be one.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// What a new key is called, and what it may do.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// Who has it.
    pub name: &'a str,
    /// Scopes, separated by spaces or commas; everything if absent.
    pub scopes: Option<&'a str>,
    /// For which tenant; the default one if absent.
    pub tenant: Option<&'a str>,
}

impl<'a> NewKey<'a> {
    /// A key called `name` that may do everything for the default tenant.
    #[must_use]
    pub const fn of(name: &'a str) -> Self {
        Self {
            name,
            scopes: None,
            tenant: None,
        }
    }
}

/// The keys that are accepted now. Cheap to clone; clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Keys(Arc<ArcSwapOption<HashMap<[u8; 32], Principal>>>);

impl Keys {
    /// No keys are configured: everyone who can reach the listener may do everything.
    /// For loopback only.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Exactly these keys.
    pub fn of(stored: &[StoredKey]) -> Result<Self, KeysError> {
        let keys = Self::none();
        keys.reload(stored)?;
        Ok(keys)
    }

    /// From now on exactly these keys; with an empty list nobody is let in.
    pub fn reload(&self, stored: &[StoredKey]) -> Result<(), KeysError> {
        let mut map = HashMap::with_capacity(stored.len());
        for key in stored {
            let hash = unhex(&key.sha256).ok_or_else(|| KeysError::Hash {
                name: key.name.clone(),
            })?;
            map.insert(hash, key.principal()?);
        }
        self.0.store(Some(Arc::new(map)));
        Ok(())
    }

    /// Whether no keys are configured.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.load().is_none()
    }

    /// A new key: the text for its owner, shown once, and what to keep.
    pub fn generate(
        new: &NewKey<'_>,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<(String, StoredKey), KeysError> {
        let mut bits = [0_u8; 32];
        random.fill(&mut bits);
        let plain = format!("{PREFIX}{}", hex_text(&bits));
        let sha256 = hex_text(&Sha256::digest(plain.as_bytes()));
        let stored = StoredKey {
            name: new.name.to_owned(),
            sha256,
            created: clock.now(),
            scopes: new.scopes.map(str::to_owned),
            tenant: new.tenant.map(str::to_owned),
        };
        stored.principal()?;
        Ok((plain, stored))
    }

    /// Whose key this is. The hash of 256 random bits is looked up, so time tells nothing.
    #[must_use]
    pub fn owner(&self, plain: &str) -> Option<Principal> {
        let hash: [u8; 32] = Sha256::digest(plain.as_bytes()).into();
        self.0.load().as_ref()?.get(&hash).cloned()
    }

    /// Whether `text` looks like a key of ours.
    #[must_use]
    pub fn looks_like_one(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

fn check_name(name: &str) -> Result<(), KeysError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(KeysError::Name)
    }
}

fn hex_text(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len() * 2];
    crate::hex(&mut digits, bytes);
    digits.into_iter().map(char::from).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let digit = |b: u8| {
        char::from(b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let mut out = [0_u8; 32];
    for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *slot = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(out)
}
