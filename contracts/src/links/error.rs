//! What the links service can refuse, in words that cross every binding unchanged.

use kernel::{Code, Coded, FieldError, Retry};
use mesh::MeshError;
use serde::{Deserialize, Serialize};

/// Why a use case of links failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum LinksError {
    /// Nothing by this name is there.
    #[error("no {what} '{name}' is here; check the spelling or list what there is")]
    NotFound {
        /// The kind of thing.
        what: String,
        /// What was asked for.
        name: String,
    },
    /// The code is in use on that domain.
    #[error("the code '{code}' is taken on {domain}; choose another one")]
    CodeTaken {
        /// The code.
        code: String,
        /// The domain.
        domain: String,
    },
    /// Another link has this external id.
    #[error(
        "the external id '{external_id}' belongs to another link; use PUT upsert to change that one"
    )]
    ExternalIdTaken {
        /// The external id.
        external_id: String,
    },
    /// A field has a value that cannot be.
    #[error("{field}: {detail}")]
    Invalid {
        /// The name of the field, as a JSON pointer without its first slash.
        field: String,
        /// What is wrong, and what to do.
        detail: String,
    },
    /// The request as a whole cannot be.
    #[error("{detail}")]
    BadRequest {
        /// What is wrong, and what to do.
        detail: String,
    },
    /// The state does not allow it.
    #[error("{detail}")]
    Conflict {
        /// What is in the way, and what to do.
        detail: String,
    },
    /// The idempotency key was used with another request.
    #[error("this idempotency key was used with another request; use a new key")]
    IdempotencyMismatch,
    /// Too many attempts from one address.
    #[error("too many attempts; try again in {after_s} s")]
    TooMany {
        /// Seconds to wait.
        after_s: u64,
    },
    /// More than is taken at once.
    #[error("{detail}")]
    TooLarge {
        /// What is the limit.
        detail: String,
    },
    /// The store is busy or away; nothing has taken effect.
    #[error("the link store does not answer in time; try again in {after_ms} ms")]
    Unavailable {
        /// Milliseconds to wait.
        after_ms: u64,
    },
    /// The store broke off: it may have taken effect.
    #[error(
        "the link store broke off; look whether it took effect, or repeat with an idempotency key"
    )]
    Unclear,
    /// A defect of ours.
    #[error("something went wrong in links ({what}); the log says more")]
    Internal {
        /// The kind of defect.
        what: String,
    },
    /// The way to the service failed.
    #[error(transparent)]
    Mesh(MeshError),
}

impl LinksError {
    /// A field has a value that cannot be.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            detail: detail.into(),
        }
    }

    /// No link by this name.
    #[must_use]
    pub fn no_link(name: impl Into<String>) -> Self {
        Self::NotFound {
            what: "link".to_owned(),
            name: name.into(),
        }
    }
}

impl From<MeshError> for LinksError {
    fn from(error: MeshError) -> Self {
        Self::Mesh(error)
    }
}

impl Coded for LinksError {
    fn field(&self) -> Option<FieldError> {
        let Self::Invalid { field, detail } = self else {
            return None;
        };
        Some(FieldError {
            pointer: format!("/{field}"),
            detail: detail.clone(),
        })
    }

    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::NotFound,
            Self::CodeTaken { .. } | Self::ExternalIdTaken { .. } | Self::Conflict { .. } => {
                Code::Conflict
            }
            Self::Invalid { .. } | Self::IdempotencyMismatch => Code::Invalid,
            Self::BadRequest { .. } => Code::BadRequest,
            Self::TooMany { .. } => Code::RateLimited,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Unavailable { .. } | Self::Unclear => Code::Unavailable,
            Self::Internal { .. } => Code::Internal,
            Self::Mesh(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::TooMany { after_s } => Retry::AfterMs(after_s.saturating_mul(1_000)),
            Self::Unavailable { after_ms } => Retry::AfterMs(*after_ms),
            Self::Unclear | Self::Internal { .. } => Retry::IfIdempotent,
            Self::Mesh(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_error() -> Vec<(LinksError, Code, Retry)> {
        let detail = || "because".to_owned();
        let taken = LinksError::CodeTaken {
            code: "a".to_owned(),
            domain: "example.org".to_owned(),
        };
        let external = LinksError::ExternalIdTaken {
            external_id: "e".to_owned(),
        };
        let bad = LinksError::BadRequest { detail: detail() };
        let conflict = LinksError::Conflict { detail: detail() };
        let large = LinksError::TooLarge { detail: detail() };
        let internal = LinksError::Internal { what: detail() };
        let lost = LinksError::Mesh(MeshError::ConnectionLost {
            service: "links".to_owned(),
            detail: detail(),
        });
        let mismatch = LinksError::IdempotencyMismatch;
        let away = LinksError::Unavailable { after_ms: 50 };
        let many = LinksError::TooMany { after_s: 2 };
        vec![
            (LinksError::no_link("a"), Code::NotFound, Retry::Never),
            (taken, Code::Conflict, Retry::Never),
            (external, Code::Conflict, Retry::Never),
            (
                LinksError::invalid("url", "because"),
                Code::Invalid,
                Retry::Never,
            ),
            (bad, Code::BadRequest, Retry::Never),
            (conflict, Code::Conflict, Retry::Never),
            (mismatch, Code::Invalid, Retry::Never),
            (many, Code::RateLimited, Retry::AfterMs(2_000)),
            (large, Code::TooLarge, Retry::Never),
            (away, Code::Unavailable, Retry::AfterMs(50)),
            (LinksError::Unclear, Code::Unavailable, Retry::IfIdempotent),
            (internal, Code::Internal, Retry::IfIdempotent),
            (lost, Code::Unavailable, Retry::IfIdempotent),
        ]
    }

    #[test]
    fn every_error_has_its_code_and_its_retry_and_crosses_the_wire_unchanged() {
        for (error, code, retry) in every_error() {
            assert_eq!((error.code(), error.retry()), (code, retry), "{error:?}");
            let bytes = serde_json::to_vec(&error).expect("bytes");
            let read: LinksError = serde_json::from_slice(&bytes).expect("the error");
            assert_eq!(read, error);
        }
    }
}
