//! Clicks, counted.

use kernel::Id;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Moment;

/// The clicks of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetStats {
    /// Its id, `ext_<external id>` or code.
    pub link: String,
    /// The domain of the code, when it is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// From this moment on, rounded down to an hour; 30 days ago if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// Before this moment, rounded up to an hour; now if absent. At most 400 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// How wide the points of the series are; days if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Bucket>,
}

/// How wide the points of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day in UTC.
    #[default]
    Day,
}

/// The clicks of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkStats {
    /// The link.
    #[schema(value_type = String)]
    pub id: Id,
    /// Clicks since it was made; neither bots nor HEAD.
    pub total_clicks: u64,
    /// From this moment on.
    pub from: Moment,
    /// Before this moment.
    pub until: Moment,
    /// Clicks in the range, exact.
    pub clicks: u64,
    /// Visits by bots on the days of the range; no clicks.
    pub bots: u64,
    /// HEAD requests on the days of the range; no clicks.
    pub heads: u64,
    /// Different visitors of each day, added up. See `visitors_exact`.
    pub visitors: u64,
    /// False when a day had more visitors than are kept one by one: then within about 2 %.
    pub visitors_exact: bool,
    /// Clicks over time; every bucket of the range stands here, empty ones too.
    pub series: Vec<SeriesPoint>,
    /// By the host of the `Referer`; `direct` without one. On the days of the range.
    pub referrers: Vec<Count>,
    /// By device. On the days of the range.
    pub devices: Vec<Count>,
    /// By the preferred language. On the days of the range.
    pub languages: Vec<Count>,
}

/// One point of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeriesPoint {
    /// Where the bucket begins.
    pub at: Moment,
    /// Clicks in it.
    pub clicks: u64,
}

/// How many of one kind. What does not fit into the kept names is counted as `(other)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// The kind.
    pub name: String,
    /// How many.
    pub clicks: u64,
}

/// Visits that found no link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetOrphans {
    /// From this moment on; 30 days ago if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub from: Option<Moment>,
    /// Before this moment; now if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub until: Option<Moment>,
}

/// Visits that found no link, on the days of the range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrphanStats {
    /// Visits of `/`.
    pub base_url: u64,
    /// Visits of codes that no link has.
    pub unknown_code: u64,
    /// Visits of paths that cannot be a code.
    pub other_path: u64,
    /// The most frequent paths.
    pub paths: Vec<Count>,
}

/// Every tag in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagList {
    /// The tags, most used first; at most 1,000.
    pub items: Vec<TagCount>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagCount {
    /// The tag.
    pub name: String,
    /// How many links have it.
    pub links: u64,
}
