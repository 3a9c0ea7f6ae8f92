//! What the redirect needs to know of a link, and nothing else. This is what is cached.

use contracts::links::{LinkSnapshot, Rule};
use kernel::Id;
use serde::{Deserialize, Serialize};

/// Nobody stores the redirect.
pub(crate) const UNSTORED: &str = "private, no-store";
/// The redirect is asked for each time.
pub(crate) const FRESH: &str = "private, max-age=0";
/// The redirect is kept for a moment.
pub(crate) const BRIEF: &str = "private, max-age=90";

/// What the redirect needs to know of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    /// The link's number.
    pub(crate) num: i64,
    /// Its id.
    pub(crate) id: Id,
    /// Its version.
    pub(crate) version: u32,
    /// Its custom domain.
    pub(crate) domain: Option<String>,
    /// Its code.
    pub(crate) code: String,
    /// Where it leads.
    pub(crate) url: String,
    /// For the preview page.
    pub(crate) title: Option<String>,
    /// The status of its redirects.
    pub(crate) status: u16,
    /// The `Cache-Control` of its redirects.
    pub(crate) cache_control: Option<String>,
    /// Whether it redirects.
    pub(crate) enabled: bool,
    /// When it ends, in microseconds since the epoch.
    pub(crate) expires_at: Option<i64>,
    /// Where visitors go afterwards.
    pub(crate) expired_url: Option<String>,
    /// Whether clicks are limited; then the store decides, never this.
    pub(crate) limited: bool,
    /// Whether a password is needed, and which version of it.
    pub(crate) password_version: Option<u32>,
    /// Whether the query of a visit is appended.
    pub(crate) forward_query: bool,
    /// Other targets.
    pub(crate) rules: Vec<Rule>,
}

impl Route {
    /// The route of a link with this content.
    pub(crate) fn of(
        num: i64,
        id: Id,
        version: u32,
        body: LinkSnapshot,
        password_version: Option<u32>,
    ) -> Self {
        Self {
            num,
            id,
            version,
            domain: body.domain,
            code: body.code,
            url: body.url,
            title: body.title,
            status: body.status,
            cache_control: body.cache_control,
            enabled: body.enabled,
            expires_at: body.expires_at.map(|at| at.0.micros()),
            expired_url: body.expired_url,
            limited: body.max_clicks.is_some(),
            password_version,
            forward_query: body.forward_query,
            rules: body.rules,
        }
    }

    /// The target of a rule, or the link's own.
    pub(crate) fn target(&self, rule: Option<usize>) -> &str {
        rule.and_then(|at| self.rules.get(at))
            .map_or(&self.url, |rule| &rule.url)
    }

    /// The `Cache-Control` of its redirects.
    ///
    /// By default nobody keeps a redirect, so that a link can be edited and every click is seen;
    /// 301 and 308, which clients keep for ever, get 90 seconds. What is decided anew for each
    /// visit is never stored, whatever the link says.
    pub(crate) fn cache_control(&self) -> &str {
        if self.limited || self.password_version.is_some() {
            return UNSTORED;
        }
        match (&self.cache_control, self.status) {
            (Some(own), _) => own,
            (None, 301 | 308) => BRIEF,
            (None, _) => FRESH,
        }
    }
}
