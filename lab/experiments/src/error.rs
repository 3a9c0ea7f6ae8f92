//! Why an experiment cannot be run.

use crate::spec::Mistake;

/// Why an experiment cannot be run. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file has a mistake.
    #[error(transparent)]
    Mistake(#[from] Mistake),
    /// What was asked for cannot be.
    #[error("{0}")]
    Bad(String),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
    /// It was tried and failed, and may go well when it is tried again.
    #[error("{0}")]
    Unready(String),
    /// Somebody ended it.
    #[error("it was ended before anything was measured")]
    Ended,
}

/// What could be run, or why it could not.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure with its cause, in one line.
pub(crate) fn failed(what: impl std::fmt::Display, error: impl std::fmt::Display) -> Error {
    Error::Failed(format!("{what}: {error}"))
}
