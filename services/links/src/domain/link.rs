//! A link as it is kept.

use contracts::links::{LinkSnapshot, LinkStatus, LinkView, Moment};
use kernel::{Id, Timestamp};

/// A link as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its number: short, never used again, the key of its clicks.
    pub(crate) num: i64,
    /// Its public id.
    pub(crate) id: Id,
    /// Everything that can be edited, except the password.
    pub(crate) body: LinkSnapshot,
    /// The argon2id hash of its password.
    pub(crate) password: Option<String>,
    /// Grows with each new password, so that earlier passes end.
    pub(crate) password_version: u32,
    /// Clicks used, when they are limited.
    pub(crate) used: u32,
    /// Grows by one with each change.
    pub(crate) version: u32,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// By whom.
    pub(crate) created_by: String,
    /// When it was last changed.
    pub(crate) updated_at: Timestamp,
    /// By whom.
    pub(crate) updated_by: String,
}

/// Clicks of a link as of the last fold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clicks {
    /// How many.
    pub(crate) total: u64,
    /// The last one.
    pub(crate) last: Option<Timestamp>,
}

impl Link {
    /// How it is shown at `now`; `short_url` is what is given to people.
    pub(crate) fn view(self, clicks: Clicks, short_url: String, now: Timestamp) -> LinkView {
        let state = status(&self.body, self.used, now);
        let body = self.body;
        LinkView {
            id: self.id,
            state,
            short_url,
            clicks_left: body.max_clicks.map(|max| max.saturating_sub(self.used)),
            has_password: self.password.is_some(),
            clicks: clicks.total,
            last_clicked_at: clicks.last.map(Moment),
            created_at: Moment(self.created_at),
            created_by: self.created_by,
            updated_at: Moment(self.updated_at),
            version: self.version,
            code: body.code,
            domain: body.domain,
            url: body.url,
            title: body.title,
            notes: body.notes,
            tags: body.tags,
            external_id: body.external_id,
            enabled: body.enabled,
            status: body.status,
            cache_control: body.cache_control,
            forward_query: body.forward_query,
            expires_at: body.expires_at,
            expired_url: body.expired_url,
            max_clicks: body.max_clicks,
            rules: body.rules,
        }
    }
}

/// The state of a link with this content and this many clicks used.
fn status(body: &LinkSnapshot, used: u32, now: Timestamp) -> LinkStatus {
    if !body.enabled {
        LinkStatus::Disabled
    } else if body.expires_at.is_some_and(|end| end.0 <= now) {
        LinkStatus::Expired
    } else if body.max_clicks.is_some_and(|max| used >= max) {
        LinkStatus::Exhausted
    } else {
        LinkStatus::Active
    }
}

/// The names of the fields in which two versions differ.
pub(crate) fn changed(before: &LinkSnapshot, after: &LinkSnapshot) -> Vec<String> {
    let mut names = Vec::new();
    macro_rules! compare {
        ($($field:ident),+) => {
            $(if before.$field != after.$field {
                names.push(stringify!($field).to_owned());
            })+
        };
    }
    compare!(
        url,
        domain,
        code,
        title,
        notes,
        tags,
        external_id,
        enabled,
        status,
        cache_control,
        forward_query,
        expires_at,
        expired_url,
        max_clicks,
        rules
    );
    names
}
