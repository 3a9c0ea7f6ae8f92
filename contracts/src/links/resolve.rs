//! Where a code leads, and why.

use kernel::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// Where a code leads for a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveLink {
    /// The code.
    pub code: String,
    /// The host that the visitor asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The visitor's `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The visitor's `Accept-Language`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Where a code leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedLink {
    /// The link.
    pub id: Id,
    /// What would happen.
    pub outcome: Outcome,
    /// Where to, for a redirect.
    pub location: Option<String>,
    /// The HTTP status.
    pub status: u16,
}

/// What happens to a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Goes to the target, or to that of a rule.
    Redirect,
    /// The link has ended: 410, or `expired_url`.
    Expired,
    /// All clicks are used: 410, or `expired_url`.
    Exhausted,
    /// The link is switched off: 404.
    Disabled,
    /// A password is asked for.
    Password,
    /// A program that shows previews gets a page without the target, so that it uses up no click.
    Preview,
}

/// What would happen to a visitor like this.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainLink {
    /// Its id, `ext_<external id>` or code; in REST it stands in the path.
    #[serde(default)]
    pub link: String,
    /// The domain of the code, when it is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The visitor's `User-Agent`; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The visitor's `Accept-Language`; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// When; now if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
}

/// What would happen, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// What would happen.
    pub outcome: Outcome,
    /// The HTTP status.
    pub status: u16,
    /// Where to.
    pub location: Option<String>,
    /// The rule that fires, counted from 0; `null`: the link's own target.
    pub rule: Option<u32>,
    /// The kind of device that the agent was taken for.
    pub device: String,
    /// Whether the agent was taken for a bot.
    pub bot: bool,
    /// The languages asked for, best first.
    pub languages: Vec<String>,
    /// Each thing that was looked at, in order, with its reason.
    pub steps: Vec<ExplainStep>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainStep {
    /// What was looked at: `enabled`, `expiry`, `clicks`, `password`, `rule 0`, ..
    pub step: String,
    /// Whether it let the visitor pass, or for a rule: whether it fires.
    pub passed: bool,
    /// Why.
    pub reason: String,
}
