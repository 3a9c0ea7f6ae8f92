//! The one extractor for requests that change something: caller, idempotency key and body.

use std::marker::PhantomData;

use axum::extract::{FromRequest, FromRequestParts as _};
use bytes::Bytes;
use http::HeaderMap;
use kernel::Principal;

use crate::{IdempotencyKey, May, ProblemReply, Scope, read_body};

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

/// A request that changes something, from a caller who may do what `S` needs (see [`May`]).
///
/// `Mutation<Write, Json<T>>` for JSON, `Mutation<Write, Bytes>` for raw content, `Mutation<Write, ()>` for none.
#[derive(Debug, Clone)]
pub struct Mutation<S, B> {
    /// Who asks.
    pub caller: Principal,
    /// The idempotency key, if one was sent.
    pub key: Option<IdempotencyKey>,
    /// What was sent.
    pub body: B,
    scope: PhantomData<S>,
}

impl<T: Send + Sync, S: Scope, B: FromBody> FromRequest<T> for Mutation<S, B> {
    type Rejection = ProblemReply;

    async fn from_request(
        request: axum::extract::Request,
        state: &T,
    ) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let May(caller, scope) = May::<S>::from_request_parts(&mut parts, state).await?;
        let bytes = read_body(body, BODY_BYTES_MAX).await?;
        let key = IdempotencyKey::of(&parts, &caller, &bytes)?;
        Ok(Self {
            caller,
            key,
            body: B::from_body(&parts.headers, bytes)?,
            scope,
        })
    }
}
