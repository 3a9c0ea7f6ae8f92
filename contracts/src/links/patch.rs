//! Changes to a link: what is absent stays, `null` clears.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Moment, Rule};

/// Changes a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PatchLink {
    /// Its id, `ext_<external id>` or code.
    pub link: String,
    /// The domain of the code, when it is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What changes.
    pub changes: LinkChanges,
}

/// A field that is absent (`None`), cleared (`Some(None)`) or set.
type Change<T> = Option<Option<T>>;

/// What changes: absent fields stay, `null` clears, a value sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkChanges {
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Moves the link to another domain; `null`: the default one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<String>)]
    pub domain: Change<String>,
    /// Another code; the old one stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A title for people.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<String>)]
    pub title: Change<String>,
    /// Notes for people.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<String>)]
    pub notes: Change<String>,
    /// All tags anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// An id in the caller's own system.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<String>)]
    pub external_id: Change<String>,
    /// Whether it redirects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// 301, 302, 307 or 308.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `Cache-Control` of its redirects.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<String>)]
    pub cache_control: Change<String>,
    /// Whether the query of a visit is appended to the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_query: Option<bool>,
    /// When it ends.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<Moment>)]
    pub expires_at: Change<Moment>,
    /// Where visitors go afterwards.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<String>)]
    pub expired_url: Change<String>,
    /// How often it redirects; what is used up already counts.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<u32>)]
    pub max_clicks: Change<u32>,
    /// A password that visitors must give.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    #[schema(value_type = Option<String>)]
    pub password: Change<String>,
    /// All rules anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<Rule>>,
}

/// A field that is there is given, even if it is `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Change<T>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_clears_and_absence_keeps() {
        let read = |text| serde_json::from_str::<LinkChanges>(text).expect("changes");
        assert_eq!(read("{}"), LinkChanges::default());
        assert_eq!(read(r#"{"title":null}"#).title, Some(None));
        assert_eq!(read(r#"{"title":"x"}"#).title, Some(Some("x".to_owned())));
        let cleared = LinkChanges {
            title: Some(None),
            ..LinkChanges::default()
        };
        assert_eq!(
            serde_json::to_string(&cleared).expect("JSON"),
            r#"{"title":null}"#
        );
    }
}
