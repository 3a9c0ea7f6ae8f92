//! Answers of the API and what its requests come with.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use web::{IdempotencyKey, Json, May, Meta, ProblemReply, Scope};

use crate::service::call::{Call, Done, Key};

/// An answer of the API.
pub(super) type Answer = Result<Response, ProblemReply>;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer to a request that changed something.
pub(super) fn done<T: Serialize>(status: StatusCode, done: Done<T>) -> Response {
    let mut response = (status, Json(done.value)).into_response();
    if done.replayed {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

web::scopes! {
    /// Looking at links, their statistics and their history.
    pub(super) Read = "links:read";
    /// Making, changing and removing links and domains.
    pub(super) Write = "links:write";
}

/// Who asks, and by which address: a caller who may do what `S` needs.
pub(super) struct Asked<S>(pub(super) Call, PhantomData<S>);

impl<T: Send + Sync, S: Scope> FromRequestParts<T> for Asked<S> {
    type Rejection = ProblemReply;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, ProblemReply> {
        let caller = May::<S>::from_request_parts(parts, state).await?.0;
        let host = match parts.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => parts
                .headers
                .get(header::HOST)
                .and_then(|v| v.to_str().ok()),
        };
        let origin = host.map(|host| format!("http://{host}"));
        let call = Call {
            by: caller.label().into_owned(),
            key: None,
            origin,
            trace: Meta::in_parts(parts).trace,
        };
        Ok(Self(call, PhantomData))
    }
}

impl<S> Asked<S> {
    /// The same with the key of a mutation.
    pub(super) fn with(self, key: Option<IdempotencyKey>) -> Call {
        let key = key.map(|k| Key {
            key: k.key,
            fingerprint: k.fingerprint,
        });
        Call { key, ..self.0 }
    }
}
