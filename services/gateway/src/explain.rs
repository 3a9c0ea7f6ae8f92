//! How a request was routed, for an operator who asked: route, candidates, costs, who was chosen.

use std::net::SocketAddr;

use http::Extensions;
use mesh::balance::BalancerView;
use serde::Serialize;

use crate::route::{Entry, Target};

/// Who was tried, in order; left in the answer's extensions by the proxy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail(Vec<String>);

impl Trail {
    pub(crate) fn of(tried: &[SocketAddr]) -> Self {
        Self(tried.iter().map(ToString::to_string).collect())
    }
}

#[derive(Serialize)]
struct Explanation<'a> {
    host: Option<&'a str>,
    prefix: &'a str,
    service: &'a str,
    target: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    balancing: Option<BalancerView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries_left: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tried: &'a [String],
}

/// How replicas stood before the choice.
pub(crate) fn routing(entry: &Entry) -> Option<crate::upstream::UpstreamView> {
    match &entry.target {
        Target::Local(_) => None,
        Target::Remote(upstream) => Some(upstream.view()),
    }
}

/// The explanation as one line of JSON.
pub(crate) fn text(
    entry: &Entry,
    before: Option<crate::upstream::UpstreamView>,
    left: &Extensions,
) -> String {
    let none = Trail::default();
    let explanation = Explanation {
        host: entry.spec.host.as_deref(),
        prefix: &entry.spec.prefix,
        service: entry.spec.service,
        target: if before.is_some() { "remote" } else { "local" },
        retries_left: before.as_ref().map(|b| b.retries_left),
        balancing: before.map(|b| b.balancer),
        tried: &left.get::<Trail>().unwrap_or(&none).0,
    };
    // Header values are ASCII; what a replica's name may have besides is escaped.
    let json = serde_json::to_string(&explanation).unwrap_or_default();
    json.chars()
        .map(|c| if c.is_ascii() { c } else { '?' })
        .collect()
}
