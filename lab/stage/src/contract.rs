//! What the services of the stage promise each other. No other service knows these contracts, so
//! they stand here.

use kernel::{Code, Coded, Retry};
use mesh::{MeshError, contract};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

contract! {
    /// A callee with finite capacity.
    pub trait Back("stage_back") error StageError {
        /// Does one job.
        query work(Work) -> Done;
    }
}

contract! {
    /// A callee that is always quick.
    pub trait Steady("stage_steady") error StageError {
        /// Does one job.
        query work(Work) -> Done;
    }
}

/// A job to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {}

/// A job that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// How long it waited in line, in microseconds.
    pub waited_us: u64,
    /// How long it was worked on, in microseconds.
    pub worked_us: u64,
}

/// Why a job was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum StageError {
    /// The line is as long as it may be.
    #[error("{service} has too much to do already; send less")]
    Full {
        /// Who refused.
        service: String,
    },
    /// The deadline passed while the job waited; it was not begun.
    #[error("{service} did not come to it before the deadline; give it more time or send less")]
    Late {
        /// Who was late.
        service: String,
    },
    /// The process is being ended.
    #[error("{service} is being ended; try again")]
    Ending {
        /// Who is.
        service: String,
    },
    /// The way to the service failed.
    #[error(transparent)]
    Mesh(MeshError),
}

impl From<MeshError> for StageError {
    fn from(error: MeshError) -> Self {
        Self::Mesh(error)
    }
}

impl Coded for StageError {
    fn code(&self) -> Code {
        match self {
            Self::Full { .. } | Self::Ending { .. } => Code::Unavailable,
            Self::Late { .. } => Code::DeadlineExceeded,
            Self::Mesh(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Full { .. } | Self::Late { .. } | Self::Ending { .. } => Retry::Safe,
            Self::Mesh(error) => error.retry(),
        }
    }
}
