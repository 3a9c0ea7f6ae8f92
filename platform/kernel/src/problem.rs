//! Problem details for HTTP APIs (RFC 9457), as plain data.

use serde::{Deserialize, Serialize};

use crate::{Code, Coded, FieldError, Retry};

/// The body of every error answer (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// A URI reference that names the kind of problem, such as `/problems/not_found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words; the same for each occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// The machine-readable code, such as `not_found`.
    pub code: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
    /// Whether the same request may be sent again.
    pub retryable: bool,
    /// Seconds to wait before that; also in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem of this kind; `detail` says what happened and what to do.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{}", code.name()),
            title: title(code).to_owned(),
            status: code.status(),
            detail: detail.into(),
            code: code.name().to_owned(),
            errors: Vec::new(),
            retryable: false,
            retry_after: None,
        }
    }

    /// The problem that says what `error` says.
    #[must_use]
    pub fn of<E: Coded + std::fmt::Display>(error: &E) -> Self {
        let mut problem = Self::new(error.code(), error.to_string());
        problem.errors.extend(error.field());
        problem.retryable = !matches!(error.retry(), Retry::Never);
        if let Retry::AfterMs(ms) = error.retry() {
            problem.retry_after = Some(ms.div_ceil(1_000).max(1));
        }
        problem
    }

    /// The same, naming a field.
    #[must_use]
    pub fn with_field(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        });
        self
    }

    /// The same, retryable after `seconds`.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retryable = true;
        self.retry_after = Some(seconds);
        self
    }
}

const fn title(code: Code) -> &'static str {
    match code {
        Code::BadRequest => "The request cannot be read",
        Code::Unauthenticated => "An API key is needed",
        Code::Forbidden => "Not allowed",
        Code::NotFound => "Not found",
        Code::Conflict => "Conflicts with the current state",
        Code::Gone => "Gone",
        Code::TooLarge => "Too large",
        Code::Invalid => "The request is not valid",
        Code::RateLimited => "Too many requests",
        Code::Internal => "Something went wrong here",
        Code::Unavailable => "Not available right now",
        Code::DeadlineExceeded => "Took too long",
    }
}
