//! Why a fault cannot be.

use kernel::{Code, Coded};

use crate::spec::TTL_MS_MAX;
use crate::{FAULTS_MAX, Seam};

/// A fault that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultError {
    /// No seam has that name.
    #[error("no seam is called '{name}'; {hint}")]
    NoSuchSeam {
        /// What was asked for.
        name: String,
        /// The nearest, or all.
        hint: String,
    },
    /// No effect has that name.
    #[error("no effect is called '{0}'")]
    NoSuchEffect(String),
    /// The effect makes no sense at that seam.
    #[error("'{effect}' is nothing that can be done at the seam '{seam}'; {hint}")]
    NotHere {
        /// The effect.
        effect: String,
        /// The seam.
        seam: Seam,
        /// What can be done there.
        hint: String,
    },
    /// A field selects nothing at that seam.
    #[error("'{field}' selects nothing at the seam '{seam}'; there it may be {}", .seam.selects().join(", "))]
    NoSelector {
        /// The field.
        field: &'static str,
        /// The seam.
        seam: Seam,
    },
    /// A field says nothing about the effect.
    #[error("'{effect}' takes no {field}; leave it out")]
    StrayField {
        /// The effect.
        effect: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field is needed.
    #[error("'{what}' needs {field}")]
    Missing {
        /// The effect, or the fault.
        what: String,
        /// The field.
        field: &'static str,
    },
    /// A number is out of its range.
    #[error("{0}")]
    Range(String),
    /// The share is out of its range.
    #[error("probability is {0}; it must be above 0 and at most 1")]
    Probability(f64),
    /// The time is out of its range.
    #[error("ttl_ms is {0}; it must be 1 to {TTL_MS_MAX}")]
    Ttl(u64),
    /// There is nothing to choose from at that seam.
    #[error(
        "'{field}' makes no sense at the seam '{seam}', where a fault holds or does not; leave it out"
    )]
    Uncounted {
        /// The field.
        field: &'static str,
        /// The seam.
        seam: Seam,
    },
    /// A process is never struck unnamed.
    #[error("say which process with service or replica")]
    NobodyNamed,
    /// A path that no request has.
    #[error(
        "method is '{0}'; at the seam 'request' it is the beginning of a path, such as /api/links"
    )]
    NoPath(String),
    /// The id is no name.
    #[error("'{0}' cannot be the id of a fault; use a-z, 0-9 and -, at most 40")]
    Id(String),
    /// Nothing here can be struck so.
    #[error("{0}")]
    Nowhere(String),
    /// There are too many already.
    #[error("there are {FAULTS_MAX} faults already; end one first")]
    TooMany,
}

impl Coded for FaultError {
    fn code(&self) -> Code {
        match self {
            Self::Nowhere(_) => Code::NotFound,
            Self::TooMany => Code::Conflict,
            _ => Code::Invalid,
        }
    }
}
