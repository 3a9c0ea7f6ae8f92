//! The one extractor for requests that change something: caller, idempotency key and body.

use axum::extract::FromRequest;
use bytes::Bytes;
use http::HeaderMap;

use crate::{Caller, IdempotencyKey, Meta, ProblemReply, read_body, require};

/// The largest body of a mutation, in bytes; the server's own limit may be lower.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Something that a whole body can be read as.
pub trait FromBody: Sized {
    /// Reads `bytes`, sent with `headers`.
    fn from_body(headers: &HeaderMap, bytes: Bytes) -> Result<Self, ProblemReply>;
}

impl FromBody for Bytes {
    fn from_body(_: &HeaderMap, bytes: Bytes) -> Result<Self, ProblemReply> {
        Ok(bytes)
    }
}

impl FromBody for () {
    fn from_body(_: &HeaderMap, _: Bytes) -> Result<Self, ProblemReply> {
        Ok(())
    }
}

/// A request that changes something, from a caller who is known (401 otherwise).
///
/// `Mutation<Json<T>>` for JSON, `Mutation<Bytes>` for raw content, `Mutation<()>` for none.
#[derive(Debug, Clone)]
pub struct Mutation<B> {
    /// Who asks; never anonymous.
    pub caller: Caller,
    /// The idempotency key, if one was sent.
    pub key: Option<IdempotencyKey>,
    /// What was sent.
    pub body: B,
}

impl<S: Send + Sync, B: FromBody> FromRequest<S> for Mutation<B> {
    type Rejection = ProblemReply;

    async fn from_request(request: axum::extract::Request, _: &S) -> Result<Self, Self::Rejection> {
        let caller = Meta::of(&request).caller;
        require(&caller)?;
        let (parts, body) = request.into_parts();
        let bytes = read_body(body, BODY_BYTES_MAX).await?;
        let key = IdempotencyKey::of(&parts, &caller, &bytes)?;
        Ok(Self {
            caller,
            key,
            body: B::from_body(&parts.headers, bytes)?,
        })
    }
}
