//! What the service `__name__` promises: things with a name, each known by its id.

use kernel::{Code, Coded, Id, Page, Retry, Timestamp};
use mesh::{MeshError, contract};
use serde::{Deserialize, Serialize};

/// Told after each change of a __item__; the payload is the [`__Item__`] as it is now.
pub const TOPIC_CHANGED: &str = "__name__.changed";

contract! {
    /// Keeps __name__.
    pub trait __Name__("__name__") error __Name__Error {
        /// Adds one.
        command create(Create__Item__) -> __Item__;
        /// Finds one by its id.
        query get(Get__Item__) -> __Item__;
        /// One page of all of them.
        query list(List__Name__) -> Page<__Item__>;
        /// How many there are, counted from the events.
        query count(Count__Name__) -> __Item__Count;
    }
}

/// One __item__.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct __Item__ {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Id,
    /// Its name.
    pub name: String,
    /// When it was made, in microseconds since 1970.
    #[schema(value_type = i64)]
    pub created_at: Timestamp,
}

/// Asks for a new __item__.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Create__Item__ {
    /// Its name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// Asks for one __item__.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Get__Item__ {
    /// Its id.
    pub id: Id,
}

/// Asks for a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List__Name__ {
    /// Where the page before ended.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many at most.
    pub limit: u32,
}

/// Asks for the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count__Name__ {}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct __Item__Count {
    /// The number.
    pub count: u64,
}

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum __Name__Error {
    /// There is none with this id.
    #[error("no __item__ has the id '{id}'; look it up in the list")]
    NotFound {
        /// What was asked for.
        id: Id,
    },
    /// The request is readable, and wrong.
    #[error("{reason}")]
    Invalid {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The data could not be read or written.
    #[error("{reason}")]
    Store {
        /// The kind of failure.
        code: Code,
        /// Whether to try again.
        retry: Retry,
        /// What the store said.
        reason: String,
    },
    /// The way to the service failed.
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

impl Coded for __Name__Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::NotFound,
            Self::Invalid { .. } => Code::Invalid,
            Self::Store { code, .. } => *code,
            Self::Mesh(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotFound { .. } | Self::Invalid { .. } => Retry::Never,
            Self::Store { retry, .. } => *retry,
            Self::Mesh(error) => error.retry(),
        }
    }
}
