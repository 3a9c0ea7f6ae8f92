//! The short list of things that can go wrong, shared by every contract and every binding.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::FieldError;

/// What kind of failure it is. Each has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request cannot be read (400).
    BadRequest,
    /// No caller is known (401).
    Unauthenticated,
    /// The caller may not do this (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// The state does not allow it, or another request is at it (409).
    Conflict,
    /// It existed and is gone for good (410).
    Gone,
    /// Larger than the limit (413).
    TooLarge,
    /// Readable, and wrong (422).
    Invalid,
    /// Too many; come back later (429).
    RateLimited,
    /// A defect of ours (500).
    Internal,
    /// Something that we need does not answer (503).
    Unavailable,
    /// The time was up (504).
    DeadlineExceeded,
}

impl Code {
    /// The HTTP status of this code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::Invalid => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }

    /// The name as it stands in JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Gone => "gone",
            Self::TooLarge => "too_large",
            Self::Invalid => "invalid",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::DeadlineExceeded => "deadline_exceeded",
        }
    }

    /// Whether the failure says something about the callee's health, and not about the request.
    #[must_use]
    pub const fn is_server_fault(self) -> bool {
        matches!(
            self,
            Self::Internal | Self::Unavailable | Self::DeadlineExceeded
        )
    }
}

/// Whether the same call may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The answer will not change.
    Never,
    /// Nothing has taken effect: any call may be sent again.
    Safe,
    /// Nothing has taken effect; not before this many milliseconds.
    AfterMs(u64),
    /// It may have taken effect: only an idempotent or keyed call may be sent again.
    IfIdempotent,
}

impl Retry {
    /// How long to wait at least.
    #[must_use]
    pub const fn delay(self) -> Duration {
        match self {
            Self::AfterMs(ms) => Duration::from_millis(ms),
            _ => Duration::ZERO,
        }
    }
}

/// An error that has a code and says whether a retry is safe.
pub trait Coded {
    /// The kind of failure.
    fn code(&self) -> Code;

    /// Whether the same call may be sent again.
    fn retry(&self) -> Retry {
        match self.code() {
            Code::Unavailable | Code::RateLimited => Retry::Safe,
            Code::DeadlineExceeded | Code::Internal => Retry::IfIdempotent,
            _ => Retry::Never,
        }
    }

    /// The field of the request that is wrong, if it is one field.
    fn field(&self) -> Option<FieldError> {
        None
    }
}
