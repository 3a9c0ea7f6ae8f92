//! Runs of experiments: the list, what follows from one, its report, and how two differ.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use kernel::{Code, Cursor, Page};
use serde::Deserialize;
use web::{Json, Path, ProblemReply, Query, problem};

use super::{Known, Shared};
use crate::runs::{RunLine, RunsError, is_name};

const LIMIT: usize = 20;
const LIMIT_MAX: usize = 50;

/// A report is a page that somebody may have been sent: nothing in it runs, and it asks for nothing.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                             form-action 'none'; frame-ancestors 'none'; sandbox";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `?limit=&cursor=`: newest first.
pub(super) async fn list(
    _: Known,
    State(collector): Shared,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<RunLine>>, ProblemReply> {
    let limit = asked.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let after: Option<String> = match &asked.cursor {
        Some(cursor) => {
            let after = Cursor::decode(cursor);
            Some(after.map_err(|e| ProblemReply::new(Code::Invalid, e.to_string()))?)
        }
        None => None,
    };
    let runs = &collector.deps().runs;
    let mut items = runs.list(after, limit + 1).await.map_err(|e| problem(&e))?;
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|line| Cursor::encode(&line.id));
    Ok(Json(Page { items, next_cursor }))
}

/// What follows from a run.
pub(super) async fn summary(
    _: Known,
    State(collector): Shared,
    Path(id): Path<String>,
) -> Result<Response, ProblemReply> {
    let id = named(id)?;
    let found = collector.deps().runs.summary(&id).await;
    json(found)
}

/// The report of a run, as a page.
pub(super) async fn report(
    _: Known,
    State(collector): Shared,
    Path(id): Path<String>,
) -> Result<Response, ProblemReply> {
    let id = named(id)?;
    let page = collector.deps().runs.report(&id).await;
    let page = page.map_err(|e| problem(&e))?;
    let headers: [(HeaderName, HeaderValue); 5] = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(REPORT_POLICY),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, page).into_response())
}

/// How a run differs from one before it.
pub(super) async fn compare(
    _: Known,
    State(collector): Shared,
    Path((before, after)): Path<(String, String)>,
) -> Result<Response, ProblemReply> {
    let (before, after) = (named(before)?, named(after)?);
    let found = collector.deps().runs.compare(&before, &after).await;
    json(found)
}

fn named(id: String) -> Result<String, ProblemReply> {
    if is_name(&id) {
        return Ok(id);
    }
    let detail = "a run's name has letters, digits, dashes and underscores only";
    Err(ProblemReply::new(Code::Invalid, detail))
}

fn json(found: Result<Bytes, RunsError>) -> Result<Response, ProblemReply> {
    let bytes = found.map_err(|e| problem(&e))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}
