//! What is wrong with one field of a request: a part of a problem and of an error that becomes one.

use serde::{Deserialize, Serialize};

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) or the name of a query parameter.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub detail: String,
}
