//! Traces, gathered from every process: each keeps its own steps.

use axum::extract::State;
use bytes::Bytes;
use futures_util::future::join_all;
use kernel::Code;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telemetry::{TraceFilter, TraceSummary};
use web::{Json, Path, ProblemReply, Query};

use super::{Known, Shared};
use crate::cluster::{Cluster, ReplicaState};

const LIMIT_MAX: usize = 200;
const LIMIT: usize = 50;
const SPANS_MAX: usize = 2_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    service: Option<String>,
    #[serde(default)]
    failed: bool,
    #[serde(default)]
    slowest: bool,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct TraceList {
    items: Vec<TraceSummary>,
}

#[derive(Serialize)]
pub(super) struct Trace {
    trace_id: String,
    spans: Vec<Value>,
}

/// `?service=&failed=true&slowest=true&limit=`: one line for each trace.
pub(super) async fn list(
    _: Known,
    State(collector): Shared,
    Query(asked): Query<Asked>,
) -> Result<Json<TraceList>, ProblemReply> {
    let limit = asked.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let mut path = format!(
        "/admin/traces?failed={}&slowest={}&limit={limit}",
        asked.failed, asked.slowest
    );
    if let Some(service) = &asked.service {
        if !service
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        {
            let detail = "a service's name has letters, digits, dashes and dots only";
            return Err(ProblemReply::new(Code::Invalid, detail));
        }
        path.push_str("&service=");
        path.push_str(service);
    }
    let filter = TraceFilter {
        service: asked.service,
        failed: asked.failed,
        slowest: asked.slowest,
    };
    let answers = everywhere(collector.cluster(), &path).await;
    let lists = answers
        .iter()
        .filter_map(|json| serde_json::from_slice(json).ok());
    Ok(Json(TraceList {
        items: merged(lists, &filter, limit),
    }))
}

/// The same trace seen by several processes is one line: the one of its earliest step.
fn merged(
    lists: impl Iterator<Item = Vec<TraceSummary>>,
    filter: &TraceFilter,
    limit: usize,
) -> Vec<TraceSummary> {
    let mut all: Vec<TraceSummary> = lists.flatten().collect();
    all.sort_by(|a, b| (&a.trace_id, a.start).cmp(&(&b.trace_id, b.start)));
    all.dedup_by(|later, first| {
        let same = later.trace_id == first.trace_id;
        if same {
            first.spans += later.spans;
            first.error = first.error.take().or_else(|| later.error.take());
        }
        same
    });
    if filter.slowest {
        all.sort_by_key(|t| std::cmp::Reverse(t.duration_us));
    } else {
        all.sort_by_key(|t| std::cmp::Reverse(t.start));
    }
    all.truncate(limit);
    all
}

/// Every kept step of one trace.
pub(super) async fn one(
    _: Known,
    State(collector): Shared,
    Path(id): Path<String>,
) -> Result<Json<Trace>, ProblemReply> {
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ProblemReply::new(
            Code::Invalid,
            "a trace id has 32 hexadecimal digits",
        ));
    }
    let id = id.to_ascii_lowercase();
    let answers = everywhere(collector.cluster(), &format!("/admin/traces/{id}")).await;
    let lists = answers
        .iter()
        .filter_map(|json| serde_json::from_slice::<Vec<Value>>(json).ok());
    let mut spans: Vec<Value> = lists.flatten().take(SPANS_MAX).collect();
    spans.sort_by_key(|span| (span["start"].as_i64(), !span["parent"].is_null()));
    if spans.is_empty() {
        let detail = "no process keeps this trace; it was not sampled, or is too long ago";
        return Err(ProblemReply::new(Code::NotFound, detail));
    }
    Ok(Json(Trace {
        trace_id: id,
        spans,
    }))
}

/// The answers of all processes that answer.
async fn everywhere(cluster: &dyn Cluster, path: &str) -> Vec<Bytes> {
    let replicas = cluster.replicas().await;
    let answering = replicas
        .iter()
        .filter(|r| !matches!(r.state, ReplicaState::Down | ReplicaState::Restarting));
    let asked = answering.map(|replica| cluster.get(&replica.id, path));
    join_all(asked)
        .await
        .into_iter()
        .filter_map(Result::ok)
        .collect()
}
