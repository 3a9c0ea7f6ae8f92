//! What the gateway itself answers when it cannot pass a request on.

use http::StatusCode;
use kernel::Code;
use web::{ProblemReply, Response};

/// Why a request got no answer from a service. Names the service, and no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no route leads to this host and path")]
    NoRoute,
    #[error("a path must not have '.' or '..' segments")]
    DotSegment,
    #[error("upgrades (WebSocket and others) are not passed on yet; use server-sent events")]
    Upgrade,
    #[error("the method TRACE is not passed on")]
    Trace,
    #[error("no replica of service '{0}' is known; it may be starting")]
    NoReplica(&'static str),
    #[error("no replica of service '{0}' could be reached; {1} tried")]
    Unreachable(&'static str, usize),
    #[error(
        "the connection to service '{0}' broke before it answered; the request may have taken effect"
    )]
    Broken(&'static str),
    #[error("service '{0}' gave an answer that cannot be passed on")]
    BadAnswer(&'static str),
    #[error("service '{0}' did not begin its answer within {1} ms")]
    TooSlow(&'static str, u64),
    #[error("{0}")]
    Body(web::BodyError),
}

impl Failure {
    /// The same, after so many attempts.
    pub(crate) const fn after(self, tried: usize) -> Self {
        match self {
            Self::Unreachable(service, _) => Self::Unreachable(service, tried),
            other => other,
        }
    }

    /// The answer that says so.
    pub(crate) fn reply(&self) -> Response {
        let detail = self.to_string();
        let other = |code, status, name, title| {
            ProblemReply::new(code, detail.clone()).with_status(status, name, title)
        };
        let mut reply = match self {
            Self::NoRoute => ProblemReply::new(Code::NotFound, detail),
            Self::DotSegment => ProblemReply::new(Code::BadRequest, detail),
            Self::Upgrade => other(
                Code::BadRequest,
                StatusCode::NOT_IMPLEMENTED,
                "not_implemented",
                "Not implemented",
            ),
            Self::Trace => other(
                Code::BadRequest,
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Method not allowed",
            ),
            Self::NoReplica(_) => ProblemReply::new(Code::Unavailable, detail),
            Self::Unreachable(..) | Self::Broken(_) | Self::BadAnswer(_) => other(
                Code::Unavailable,
                StatusCode::BAD_GATEWAY,
                "bad_gateway",
                "The service could not be reached",
            ),
            Self::TooSlow(..) => ProblemReply::new(Code::DeadlineExceeded, detail),
            Self::Body(error) => ProblemReply::from(*error),
        };
        match self {
            Self::NoReplica(_) | Self::Unreachable(..) => {
                reply.0.retryable = true;
                reply.0.retry_after = Some(1);
            }
            _ => {}
        }
        reply.into_web()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_status() {
        for (failure, status) in [
            (Failure::NoRoute, 404),
            (Failure::DotSegment, 400),
            (Failure::Upgrade, 501),
            (Failure::NoReplica("links"), 503),
            (Failure::Unreachable("links", 3), 502),
            (Failure::Broken("links"), 502),
            (Failure::TooSlow("links", 5), 504),
            (Failure::Body(web::BodyError::TooSlow), 408),
        ] {
            assert_eq!(failure.reply().status().as_u16(), status, "{failure}");
        }
    }
}
