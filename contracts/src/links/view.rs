//! A link as it is shown, and its versions.

use kernel::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LinkStatus, Moment, Rule};

/// Which link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetLink {
    /// Its id, `ext_<external id>` or code.
    pub link: String,
    /// The domain of the code, when it is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

impl GetLink {
    /// The link with this id, `ext_<external id>` or code.
    #[must_use]
    pub fn by(link: impl Into<String>) -> Self {
        Self {
            link: link.into(),
            domain: None,
        }
    }
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Id,
    /// Its code: the path of the short URL.
    pub code: String,
    /// Its custom domain; `null`: the default one.
    pub domain: Option<String>,
    /// What is given to people.
    pub short_url: String,
    /// Where it leads, in normal form.
    pub url: String,
    /// A title for people.
    pub title: Option<String>,
    /// Notes for people.
    pub notes: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// An id in the caller's own system.
    pub external_id: Option<String>,
    /// Whether it redirects.
    pub enabled: bool,
    /// Its state when it was read.
    pub state: LinkStatus,
    /// The status of its redirects.
    pub status: u16,
    /// The `Cache-Control` of its redirects, if it is not the usual one.
    pub cache_control: Option<String>,
    /// Whether the query of a visit is appended to the target's.
    pub forward_query: bool,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// Where visitors go afterwards.
    pub expired_url: Option<String>,
    /// How often it redirects.
    pub max_clicks: Option<u32>,
    /// How many of these are left.
    pub clicks_left: Option<u32>,
    /// Whether visitors must give a password.
    pub has_password: bool,
    /// Other targets for some visitors.
    pub rules: Vec<Rule>,
    /// Clicks by people, as of the last fold; `stats` is exact to the click.
    pub clicks: u64,
    /// The last click, as of the last fold.
    pub last_clicked_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
    /// By whom.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: Moment,
    /// Grows by one with each change.
    pub version: u32,
}

/// It is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// How many were removed.
    pub deleted: u32,
}

/// What `upsert` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Upserted {
    /// Whether the link is new.
    pub created: bool,
    /// The link.
    pub link: LinkView,
}

/// Nothing to ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoRequest {}

/// Which versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetHistory {
    /// Its id, `ext_<external id>` or code.
    pub link: String,
    /// The domain of the code, when it is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// The versions of a link, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// The link.
    #[schema(value_type = String)]
    pub id: Id,
    /// Its versions: the present one and up to 100 before it.
    pub versions: Vec<LinkVersion>,
}

/// One version of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkVersion {
    /// Its number.
    pub version: u32,
    /// When it became the present one.
    pub at: Moment,
    /// Who made it.
    pub by: String,
    /// What differs from the version before.
    pub changed: Vec<String>,
    /// Everything that can be edited, except the password.
    pub snapshot: LinkSnapshot,
}

/// Everything of a link that can be edited, except its password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkSnapshot {
    /// Where it leads.
    pub url: String,
    /// Its custom domain.
    pub domain: Option<String>,
    /// Its code.
    pub code: String,
    /// A title for people.
    pub title: Option<String>,
    /// Notes for people.
    pub notes: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// An id in the caller's own system.
    pub external_id: Option<String>,
    /// Whether it redirects.
    pub enabled: bool,
    /// The status of its redirects.
    pub status: u16,
    /// The `Cache-Control` of its redirects.
    pub cache_control: Option<String>,
    /// Whether the query of a visit is appended to the target's.
    pub forward_query: bool,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// Where visitors go afterwards.
    pub expired_url: Option<String>,
    /// How often it redirects.
    pub max_clicks: Option<u32>,
    /// Other targets for some visitors.
    pub rules: Vec<Rule>,
}

/// Makes an earlier version the newest one. Password and use so far stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackLink {
    /// Its id, `ext_<external id>` or code.
    pub link: String,
    /// The domain of the code, when it is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The version to go back to.
    pub version: u32,
}
