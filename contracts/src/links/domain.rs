//! Custom domains: hosts whose codes are their own.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// Adds or changes a custom domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDomain {
    /// Its host name; written in any case or script, kept in lower case and punycode.
    pub host: String,
    /// Where visitors of `/` go; the 404 page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_url: Option<String>,
    /// Where visitors of unknown codes go; the 404 page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found_url: Option<String>,
}

/// A custom domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Domain {
    /// Its host name in normal form.
    pub host: String,
    /// Where visitors of `/` go.
    pub root_url: Option<String>,
    /// Where visitors of unknown codes go.
    pub not_found_url: Option<String>,
    /// When it was added.
    pub created_at: Moment,
}

/// The custom domains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DomainList {
    /// All of them; there are at most 1,000.
    pub items: Vec<Domain>,
}

/// Removes a custom domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteDomain {
    /// Its host name.
    pub host: String,
}
