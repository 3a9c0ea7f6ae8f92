//! What can go wrong in a database, the same for both engines.

use kernel::{Code, Coded, Retry};

/// What kind of failure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A row with this key is there already. `constraint` is `table.column[,column]` on both engines,
    /// and the name of the index where it is over an expression.
    UniqueViolation {
        /// What was violated.
        constraint: String,
    },
    /// A row that is referred to is missing, or is still referred to.
    ForeignKeyViolation,
    /// A check or NOT NULL does not hold.
    CheckViolation,
    /// The queue is full, or another process holds the file for too long; nothing has taken effect.
    Busy,
    /// Transactions got in each other's way, more often than we try again; nothing has taken effect.
    Serialization,
    /// The database does not answer; nothing has taken effect.
    Unavailable,
    /// The connection broke while committing; the transaction may have taken effect.
    CommitUnknown,
    /// The commit failed and was rolled back.
    CommitFailed,
    /// It took longer than allowed; nothing has taken effect.
    Timeout,
    /// The disk is full or cannot be written.
    Full,
    /// The key was used before with another request.
    IdempotencyMismatch,
    /// Exactly one row was expected.
    NoRow,
    /// An earlier statement of this transaction failed, so it cannot be committed.
    Aborted,
    /// A migration is missing, out of order, or was changed after it was applied.
    Migration,
    /// A value has another type than the code expects.
    Type,
    /// The configuration cannot work, such as a URL that is neither engine's.
    Config,
    /// Anything else: a wrong statement, a broken file.
    Internal,
}

/// A database could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    /// An error of this kind; `message` says what happened and what to do.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether a row with this key is there already. `constraint` is `table.column[,column]`.
    #[must_use]
    pub fn is_unique_violation(&self, constraint: &str) -> bool {
        matches!(&self.kind, ErrorKind::UniqueViolation { constraint: c } if c == constraint)
    }

    /// Whether the same transaction may succeed if it is run again at once, without any effect yet.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Serialization | ErrorKind::Busy | ErrorKind::Unavailable
        )
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self.kind {
            ErrorKind::UniqueViolation { .. } | ErrorKind::ForeignKeyViolation => Code::Conflict,
            ErrorKind::CheckViolation | ErrorKind::IdempotencyMismatch => Code::Invalid,
            ErrorKind::Busy
            | ErrorKind::Serialization
            | ErrorKind::Unavailable
            | ErrorKind::CommitUnknown
            | ErrorKind::CommitFailed
            | ErrorKind::Full => Code::Unavailable,
            ErrorKind::Timeout => Code::DeadlineExceeded,
            ErrorKind::NoRow => Code::NotFound,
            ErrorKind::Aborted
            | ErrorKind::Migration
            | ErrorKind::Type
            | ErrorKind::Config
            | ErrorKind::Internal => Code::Internal,
        }
    }

    fn retry(&self) -> Retry {
        match self.kind {
            ErrorKind::Busy => Retry::AfterMs(50),
            ErrorKind::Serialization
            | ErrorKind::Unavailable
            | ErrorKind::CommitFailed
            | ErrorKind::Timeout => Retry::Safe,
            ErrorKind::Full => Retry::AfterMs(1_000),
            ErrorKind::CommitUnknown => Retry::IfIdempotent,
            _ => Retry::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_code_and_says_whether_a_retry_is_safe() {
        use ErrorKind as K;
        let unique = K::UniqueViolation {
            constraint: "t.a".to_owned(),
        };
        let table = [
            (unique, Code::Conflict, Retry::Never),
            (K::ForeignKeyViolation, Code::Conflict, Retry::Never),
            (K::CheckViolation, Code::Invalid, Retry::Never),
            (K::Busy, Code::Unavailable, Retry::AfterMs(50)),
            (K::Serialization, Code::Unavailable, Retry::Safe),
            (K::Unavailable, Code::Unavailable, Retry::Safe),
            (K::CommitUnknown, Code::Unavailable, Retry::IfIdempotent),
            (K::CommitFailed, Code::Unavailable, Retry::Safe),
            (K::Timeout, Code::DeadlineExceeded, Retry::Safe),
            (K::Full, Code::Unavailable, Retry::AfterMs(1_000)),
            (K::IdempotencyMismatch, Code::Invalid, Retry::Never),
            (K::NoRow, Code::NotFound, Retry::Never),
            (K::Aborted, Code::Internal, Retry::Never),
            (K::Migration, Code::Internal, Retry::Never),
            (K::Type, Code::Internal, Retry::Never),
            (K::Config, Code::Internal, Retry::Never),
            (K::Internal, Code::Internal, Retry::Never),
        ];
        for (kind, code, retry) in table {
            let error = Error::new(kind, "what happened");
            assert_eq!((error.code(), error.retry()), (code, retry), "{error:?}");
            // What is run again by itself has had no effect.
            let harmless = matches!(retry, Retry::Safe | Retry::AfterMs(_));
            assert!(!error.is_transient() || harmless, "{error:?}");
        }
    }
}
