//! What the mesh itself can fail with. It travels over every binding like a contract's own error.

use kernel::{Code, Coded, Retry};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// A failure of the way to the callee, not of the callee's own rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum MeshError {
    /// The deadline of the call passed.
    #[error("{service} did not answer before the deadline; give it more time or ask for less")]
    DeadlineExceeded {
        /// The callee.
        service: String,
    },
    /// The circuit breaker of the edge is open.
    #[error("calls to {service} are held back because too many failed; try again in {after_ms} ms")]
    BreakerOpen {
        /// The callee.
        service: String,
        /// When the next probe is due.
        after_ms: u64,
    },
    /// The bulkhead of the edge is full.
    #[error("too many calls to {service} are in flight and waiting; send fewer at once")]
    BulkheadFull {
        /// The callee.
        service: String,
    },
    /// Nothing offers the service.
    #[error("no endpoint of {service} is known; start one or correct its address")]
    NoEndpoint {
        /// The callee.
        service: String,
    },
    /// No connection; nothing was sent.
    #[error("cannot reach {service}: {detail}")]
    Unreachable {
        /// The callee.
        service: String,
        /// What failed.
        detail: String,
    },
    /// The connection broke after the call was sent: it may have taken effect.
    #[error("the connection to {service} broke before its answer: {detail}")]
    ConnectionLost {
        /// The callee.
        service: String,
        /// What failed.
        detail: String,
    },
    /// The callee does not offer this service.
    #[error("no service '{service}' is here; {hint}")]
    UnknownService {
        /// What was asked for.
        service: String,
        /// What is there.
        hint: String,
    },
    /// The callee does not know this method: it is older or newer than the caller.
    #[error("service '{service}' has no method '{method}'; {hint}")]
    UnknownMethod {
        /// The callee.
        service: String,
        /// What was asked for.
        method: String,
        /// The nearest names, or all.
        hint: String,
    },
    /// A message could not be written or read.
    #[error("cannot {action} a message of {service}: {detail}")]
    Codec {
        /// The callee.
        service: String,
        /// `encode`, `decode` or `open`.
        action: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A message is larger than the limit.
    #[error("a message of {service} is larger than {limit_bytes} bytes; send less at once")]
    TooLarge {
        /// The callee.
        service: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// The callee did not accept the cluster secret.
    #[error("{service} refused the call: the cluster secret is missing or wrong")]
    Refused {
        /// The callee.
        service: String,
    },
    /// Something else than this mesh answered.
    #[error("{service} answered with HTTP status {status}, which is no answer of a contract")]
    Foreign {
        /// The callee.
        service: String,
        /// The HTTP status.
        status: u16,
    },
    /// A fault that was injected on purpose.
    #[error("fault '{fault}' was injected on the way to {service}")]
    Injected {
        /// The callee.
        service: String,
        /// The fault's id.
        fault: String,
        /// The kind of failure that it plays.
        code: Code,
    },
    /// The callee could not read the request.
    #[error(
        "{service} cannot read the request: {detail}; caller and callee may be of different versions"
    )]
    Unreadable {
        /// The callee.
        service: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The callee failed in a way that only a later version than the caller's knows.
    #[error("{service} answered with an error that is not known here: {said}")]
    UnknownError {
        /// The callee.
        service: String,
        /// The kind of failure, as the callee said.
        code: Code,
        /// Whether it may be sent again, as the callee said.
        retry: Retry,
        /// The beginning of the error.
        said: String,
    },
}

// The error of every contract holds this one. Were it read by a generic function, each contract would
// compile all of its variants anew, which is a tenth of a whole contract; so it is read from a `Value`.
impl<'de> Deserialize<'de> for MeshError {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        from_value(Value::deserialize(d)?).map_err(D::Error::custom)
    }
}

impl Serialize for MeshError {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, s)
    }
}

fn from_value(value: Value) -> serde_json::Result<MeshError> {
    MeshError::deserialize(value)
}

impl MeshError {
    /// Whether the caller's own side refused, so that it says nothing about the callee's health.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::BreakerOpen { .. } | Self::BulkheadFull { .. })
    }
}

impl Coded for MeshError {
    fn code(&self) -> Code {
        match self {
            Self::DeadlineExceeded { .. } => Code::DeadlineExceeded,
            Self::BulkheadFull { .. }
            | Self::BreakerOpen { .. }
            | Self::NoEndpoint { .. }
            | Self::Unreachable { .. }
            | Self::ConnectionLost { .. } => Code::Unavailable,
            Self::UnknownService { .. } | Self::UnknownMethod { .. } => Code::NotFound,
            Self::Codec { .. } | Self::Foreign { .. } => Code::Internal,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Refused { .. } => Code::Unauthenticated,
            Self::Unreadable { .. } => Code::BadRequest,
            Self::Injected { code, .. } | Self::UnknownError { code, .. } => *code,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::BreakerOpen { after_ms, .. } => Retry::AfterMs(*after_ms),
            Self::BulkheadFull { .. } | Self::NoEndpoint { .. } | Self::Unreachable { .. } => {
                Retry::Safe
            }
            Self::ConnectionLost { .. } | Self::DeadlineExceeded { .. } | Self::Foreign { .. } => {
                Retry::IfIdempotent
            }
            Self::Injected { code, .. } if code.is_server_fault() => Retry::IfIdempotent,
            Self::UnknownError { retry, .. } => *retry,
            _ => Retry::Never,
        }
    }
}

/// One of each, for tests.
#[cfg(test)]
pub(crate) fn every_error() -> Vec<MeshError> {
    let service = || "shop".to_owned();
    let detail = || "because".to_owned();
    let hint = detail;
    vec![
        MeshError::DeadlineExceeded { service: service() },
        MeshError::BreakerOpen {
            service: service(),
            after_ms: 7,
        },
        MeshError::BulkheadFull { service: service() },
        MeshError::NoEndpoint { service: service() },
        MeshError::Unreachable {
            service: service(),
            detail: detail(),
        },
        MeshError::ConnectionLost {
            service: service(),
            detail: detail(),
        },
        MeshError::UnknownService {
            service: service(),
            hint: hint(),
        },
        MeshError::UnknownMethod {
            service: service(),
            method: "look".to_owned(),
            hint: hint(),
        },
        MeshError::Codec {
            service: service(),
            action: "encode".to_owned(),
            detail: detail(),
        },
        MeshError::TooLarge {
            service: service(),
            limit_bytes: 9,
        },
        MeshError::Refused { service: service() },
        MeshError::Foreign {
            service: service(),
            status: 502,
        },
        MeshError::Injected {
            service: service(),
            fault: "f".to_owned(),
            code: Code::RateLimited,
        },
        MeshError::Unreadable {
            service: service(),
            detail: detail(),
        },
        MeshError::UnknownError {
            service: service(),
            code: Code::Conflict,
            retry: Retry::AfterMs(5),
            said: "{}".to_owned(),
        },
    ]
}
