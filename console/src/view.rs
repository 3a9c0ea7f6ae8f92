//! What the page is told each second.

use kernel::Timestamp;
use serde::Serialize;

use crate::cluster::{About, Replica};
use crate::flow::Figures;
use crate::health::Condition;
use crate::marks::Mark;

/// The system at one moment.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Snapshot {
    pub(crate) at: Timestamp,
    pub(crate) about: About,
    /// What enters the system.
    pub(crate) totals: Figures,
    pub(crate) services: Vec<ServiceView>,
    pub(crate) edges: Vec<EdgeView>,
    pub(crate) replicas: Vec<ReplicaView>,
    /// The last second alone, for the charts.
    pub(crate) second: Vec<(String, Figures)>,
    /// What happened since the message before; all that is kept, in the first one.
    pub(crate) marks: Vec<Mark>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ServiceView {
    pub(crate) name: String,
    pub(crate) up: usize,
    pub(crate) replicas: usize,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    #[serde(flatten)]
    pub(crate) condition: Condition,
    /// What happened just before it became so.
    pub(crate) before: Option<Mark>,
    pub(crate) routes: Vec<RouteView>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct RouteView {
    pub(crate) route: String,
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

/// A line of the map.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EdgeView {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: EdgeKind,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    #[serde(flatten)]
    pub(crate) condition: Condition,
    /// `closed` or `open`.
    pub(crate) breaker: Option<&'static str>,
    /// Events that wait.
    pub(crate) waiting: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EdgeKind {
    Call,
    Event,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReplicaView {
    #[serde(flatten)]
    pub(crate) replica: Replica,
    pub(crate) memory_bytes: Option<f64>,
    /// The share of one core that it uses.
    pub(crate) cpu: Option<f64>,
}
