//! Problem details (RFC 9457) as answers.

use axum::response::IntoResponse;
use http::{HeaderValue, StatusCode, header};
use kernel::{Code, Coded, Problem};

use crate::{Body, BodyError, Response};

/// An answer that says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemReply(pub Box<Problem>);

/// The answer that says what `error` says.
pub fn problem<E: Coded + std::fmt::Display>(error: &E) -> ProblemReply {
    ProblemReply(Box::new(Problem::of(error)))
}

impl ProblemReply {
    /// A problem of this kind; `detail` says what happened and what to do.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(code, detail)))
    }

    /// The same under another HTTP status, for the few that no [`Code`] stands for (408, 415, 431, 502).
    #[must_use]
    pub fn with_status(mut self, status: StatusCode, code: &str, title: &str) -> Self {
        self.0.status = status.as_u16();
        code.clone_into(&mut self.0.code);
        title.clone_into(&mut self.0.title);
        self.0.kind = format!("/problems/{code}");
        self
    }

    /// The whole answer.
    #[must_use]
    pub fn into_web(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = serde_json::to_vec(&*self.0).unwrap_or_default();
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// So that a route says `?`, and what a contract refuses becomes a problem.
impl<E: Coded + std::fmt::Display> From<E> for ProblemReply {
    fn from(error: E) -> Self {
        problem(&error)
    }
}

impl From<BodyError> for ProblemReply {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::new(Code::TooLarge, error.to_string()),
            BodyError::TooSlow => Self::new(Code::BadRequest, error.to_string()).with_status(
                StatusCode::REQUEST_TIMEOUT,
                "request_timeout",
                "The request did not come in time",
            ),
            BodyError::Broken => Self::new(Code::BadRequest, error.to_string()),
        }
    }
}

impl IntoResponse for ProblemReply {
    fn into_response(self) -> axum::response::Response {
        self.into_web().map(Into::into)
    }
}
