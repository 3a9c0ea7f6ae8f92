//! Extractors whose refusals are problem details that name the field.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::{Code, PageLimit, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{FromBody, ProblemReply, read_body};

/// The largest JSON body that an extractor reads, in bytes; the server's own limit may be lower.
const JSON_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A JSON body: in a request, or as an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ProblemReply;

    async fn from_request(request: axum::extract::Request, _: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let bytes = read_body(body, JSON_BYTES_MAX).await?;
        Self::from_body(&parts.headers, bytes)
    }
}

impl<T: DeserializeOwned> FromBody for Json<T> {
    fn from_body(headers: &HeaderMap, bytes: Bytes) -> Result<Self, ProblemReply> {
        if !is_json(headers) {
            return Err(ProblemReply::new(
                Code::BadRequest,
                "send the body as JSON, with 'Content-Type: application/json'",
            )
            .with_status(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The content type is not supported",
            ));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader)
            .map_err(|e| json_problem(&e.path().to_string(), e.inner()))?;
        reader.end().map_err(|e| json_problem(".", &e))?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
    else {
        return false;
    };
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn json_problem(path: &str, error: &serde_json::Error) -> ProblemReply {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => {
            let detail = without_position(&error.to_string());
            match unknown_field(&detail) {
                Some((name, hint)) => {
                    let parent = path.strip_suffix(&name).unwrap_or(path);
                    let pointer = format!("{}/{name}", pointer(parent));
                    field_problem(hint.clone(), pointer, hint)
                }
                None => {
                    let pointer = pointer(path);
                    let shown = if pointer.is_empty() {
                        "the body"
                    } else {
                        &pointer
                    };
                    field_problem(format!("{shown}: {detail}"), pointer, detail)
                }
            }
        }
        Category::Io | Category::Syntax | Category::Eof => {
            ProblemReply::new(Code::BadRequest, format!("the body is not JSON: {error}"))
        }
    }
}

fn field_problem(summary: String, pointer: String, detail: String) -> ProblemReply {
    let problem = Problem::new(Code::Invalid, summary).with_field(pointer, detail);
    ProblemReply(Box::new(problem))
}

/// The name of a field that is not known, and what to do, with the nearest names that are.
fn unknown_field(said: &str) -> Option<(String, String)> {
    let rest = said.strip_prefix("unknown field `")?;
    let (name, rest) = rest.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let near = kernel::nearest(name, known.iter().copied());
    let hint = if near.is_empty() {
        format!("there are {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    Some((
        name.to_owned(),
        format!("there is no field '{name}'; {hint}"),
    ))
}

/// `a.b[0].c` as the JSON pointer `/a/b/0/c`.
fn pointer(path: &str) -> String {
    if path == "." || path.is_empty() {
        return String::new();
    }
    let mut out = String::with_capacity(path.len() + 1);
    for part in path.split(['.', '[']) {
        let part = part.trim_end_matches(']');
        if part.is_empty() || part == "?" {
            continue;
        }
        out.push('/');
        out.push_str(&part.replace('~', "~0").replace('/', "~1"));
    }
    out
}

fn without_position(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_owned()
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                let json = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, json)], bytes).into_response()
            }
            Err(_) => ProblemReply::new(Code::Internal, "the answer could not be written as JSON")
                .into_response(),
        }
    }
}

/// The query string, by names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ProblemReply;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let parsed: Result<axum::extract::Query<T>, QueryRejection> =
            axum::extract::Query::try_from_uri(&parts.uri);
        match parsed {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(query_problem(&rejection.body_text())),
        }
    }
}

fn query_problem(text: &str) -> ProblemReply {
    let text = text
        .split_once("query string: ")
        .map_or(text, |(_, rest)| rest);
    let named = text
        .split_once(": ")
        .filter(|(name, _)| !name.contains(' '));
    match named {
        Some((name, detail)) => {
            let summary = format!("query parameter '{name}': {detail}");
            field_problem(summary, name.to_owned(), detail.to_owned())
        }
        None => ProblemReply::new(Code::Invalid, format!("the query string: {text}")),
    }
}

/// The parameters in the path.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ProblemReply;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let parsed: Result<_, PathRejection> =
            axum::extract::Path::<T>::from_request_parts(parts, state).await;
        match parsed {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status().is_server_error() => Err(ProblemReply::new(
                Code::Internal,
                "the path could not be read",
            )),
            Err(rejection) => Err(ProblemReply::new(Code::NotFound, rejection.body_text())),
        }
    }
}

/// Which page of a list: `?cursor=...&limit=...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// How many items.
    pub limit: PageLimit,
}

#[derive(Deserialize)]
struct RawPaging {
    cursor: Option<String>,
    limit: Option<u32>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ProblemReply;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Query(raw) = Query::<RawPaging>::from_request_parts(parts, state).await?;
        let cursor = raw.cursor.filter(|c| !c.is_empty());
        Ok(Self {
            cursor,
            limit: PageLimit::clamped(raw.limit),
        })
    }
}
