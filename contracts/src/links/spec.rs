//! What a link is made from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// A new link. Only `url` is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLink {
    /// Where it leads: an http or https URL of at most 8 KiB.
    pub url: String,
    /// A custom domain that was added before; the default domain if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// A code of one's own: 1 to 64 of `A-Z a-z 0-9 - _`; a random one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A title for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Notes for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Up to 32 tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// An id in the caller's own system; unique. The link is also found as `ext_<external_id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether it redirects; true if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// 301, 302, 307 or 308; 302 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `Cache-Control` of its redirects; `private, max-age=0` for 302 and 307 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// Whether the query of a visit is appended to the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_query: Option<bool>,
    /// When it ends; from then on it answers 410.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Where visitors go once it has ended or its clicks are used up, instead of 410.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_url: Option<String>,
    /// How often it redirects, exactly; then it answers 410.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_clicks: Option<u32>,
    /// A password that visitors must give. Kept as argon2id only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Other targets for some visitors; the first rule that matches wins. Up to 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

impl CreateLink {
    /// A link to `url`, everything else by default.
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ..Self::default()
        }
    }
}

/// Another target for visitors who meet every condition that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A name for people, shown by `explain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The visitor's device is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// The language that the visitor wants most is one of these; `de` also takes `de-AT`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// From this moment on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// Before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Where they go.
    pub url: String,
}

/// A kind of visitor that a rule can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// An iPhone, iPad or iPod.
    Ios,
    /// Android.
    Android,
    /// Any phone or tablet, the two above included.
    Mobile,
    /// A computer.
    Desktop,
    /// A program that says that it is one: crawlers, unfurlers, monitors.
    Bot,
}

impl Device {
    /// The name as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Mobile => "mobile",
            Self::Desktop => "desktop",
            Self::Bot => "bot",
        }
    }
}
