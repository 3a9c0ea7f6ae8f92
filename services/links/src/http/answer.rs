//! Answers of the API and what its requests come with.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use contracts::links::LinksError;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kernel::{Code, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web::{FromBody, IdempotencyKey, Json, May, ProblemReply, Scope};

use crate::service::call::{Call, Done, Key};

/// An answer of the API.
pub(super) type Answer = Result<Response, ProblemReply>;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The problem that says what `error` says, with the field that it is about.
pub(super) fn refuse(error: &LinksError) -> ProblemReply {
    let mut problem = Problem::of(error);
    if let LinksError::Invalid { field, detail } = error {
        problem = problem.with_field(format!("/{field}"), detail);
    }
    ProblemReply::from(problem)
}

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

/// The method is not one of the resource's.
pub(super) fn method_not_allowed() -> ProblemReply {
    ProblemReply::new(
        Code::BadRequest,
        "this resource has no such method; see the Allow header",
    )
    .with_status(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The method is not allowed",
    )
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

/// A JSON body whose unknown fields are refused with the nearest names.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned> FromBody for Sent<T> {
    fn from_body(headers: &HeaderMap, bytes: Bytes) -> Result<Self, ProblemReply> {
        let again = bytes.clone();
        match Json::<T>::from_body(headers, bytes) {
            Ok(Json(value)) => Ok(Self(value)),
            Err(reply) => Err(unknown_field::<T>(&again).unwrap_or(reply)),
        }
    }
}

fn unknown_field<T: DeserializeOwned>(bytes: &[u8]) -> Option<ProblemReply> {
    let error = serde_json::from_slice::<T>(bytes).err()?.to_string();
    let rest = error.strip_prefix("unknown field `")?;
    let (name, rest) = rest.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let near = kernel::nearest(name, known.iter().copied());
    let hint = if near.is_empty() {
        format!("there are {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    let detail = format!("there is no field '{name}'; {hint}");
    let problem =
        Problem::new(Code::Invalid, detail.clone()).with_field(format!("/{name}"), detail);
    Some(ProblemReply::from(problem))
}
