//! What comes with a request besides its content.

use mesh::CallCx;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use telemetry::TraceContext;

/// What comes with a request besides its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    /// Who asks, for `created_by` and the scope of idempotency keys.
    pub(crate) by: String,
    /// Under which idempotency key.
    pub(crate) key: Option<Key>,
    /// Scheme and host that the caller reached us by, such as `http://127.0.0.1:8080`.
    pub(crate) origin: Option<String>,
    /// The span that it belongs to.
    pub(crate) trace: TraceContext,
}

/// An idempotency key, and what the request was.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// The key.
    pub(crate) key: String,
    /// A hash of everything that makes it this request.
    pub(crate) fingerprint: [u8; 32],
}

/// What a use case answers, and whether it is the answer of an earlier request.
#[derive(Debug, Clone)]
pub(crate) struct Done<R> {
    /// The answer.
    pub(crate) value: R,
    /// Whether nothing was done now.
    pub(crate) replayed: bool,
}

impl Call {
    /// The call that came over the mesh. Its fingerprint is that of the message.
    pub(crate) fn of_mesh<T: Serialize>(cx: &CallCx, method: &str, request: &T) -> Self {
        let key = cx.idempotency_key.as_ref().map(|key| {
            let mut hash = Sha256::new();
            hash.update(method.as_bytes());
            hash.update([0]);
            hash.update(serde_json::to_vec(request).unwrap_or_default());
            Key {
                key: key.to_string(),
                fingerprint: hash.finalize().into(),
            }
        });
        let by = cx.caller.label().into_owned();
        Self {
            by,
            key,
            origin: None,
            trace: cx.trace,
        }
    }

    /// The same for a part of the request, without its key.
    pub(crate) fn by(name: impl Into<String>) -> Self {
        Self {
            by: name.into(),
            key: None,
            origin: None,
            trace: TraceContext::NONE,
        }
    }
}
