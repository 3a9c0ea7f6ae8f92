//! `Idempotency-Key`: the same request sent again takes effect once.

use http::request::Parts;
use kernel::{Code, Principal};
use sha2::{Digest as _, Sha256};

use crate::ProblemReply;

/// The most characters that a key may have.
const KEY_CHARS_MAX: usize = 255;

/// The key that a caller gave to a mutation, and what the request was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key, 1 to 255 printable ASCII characters.
    pub key: String,
    /// SHA-256 over method, path, caller and body: the same key with another one is refused.
    pub fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// The key of a request with this body; `None` if it has none.
    pub fn of(
        parts: &Parts,
        caller: &Principal,
        body: &[u8],
    ) -> Result<Option<Self>, ProblemReply> {
        let mut given = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = given.next() else {
            return Ok(None);
        };
        if given.next().is_some() {
            return Err(ProblemReply::new(
                Code::BadRequest,
                "there are several Idempotency-Key headers; send one",
            ));
        }
        let key = value.to_str().unwrap_or_default();
        let printable = key.bytes().all(|b| (0x20..0x7f).contains(&b));
        if key.is_empty() || key.len() > KEY_CHARS_MAX || !printable {
            return Err(ProblemReply::new(
                Code::BadRequest,
                "an Idempotency-Key is 1 to 255 printable ASCII characters",
            ));
        }
        Ok(Some(Self {
            key: key.to_owned(),
            fingerprint: fingerprint(parts, caller, body),
        }))
    }
}

fn fingerprint(parts: &Parts, caller: &Principal, body: &[u8]) -> [u8; 32] {
    let target = parts.uri.path_and_query().map_or("", |p| p.as_str());
    let caller = caller.label();
    let mut hash = Sha256::new();
    for part in [
        parts.method.as_str().as_bytes(),
        target.as_bytes(),
        caller.as_bytes(),
        body,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
