//! The page's files, and the JSON twins of its screens.

mod faults;
mod runs;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use axum::{Router, extract::DefaultBodyLimit};
use kernel::Code;
use serde::{Deserialize, Serialize};
use web::{Admin, Json, Mutation, Path, ProblemReply, Query, problem};

use crate::cluster::KnobView;
use crate::collector::Collector;
use crate::marks::Mark;
use crate::page::Page;
use crate::view::Snapshot;

const WATCHERS_MAX: usize = 64;
const BODY_BYTES_MAX: usize = 64 * 1024;
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A first answer needs two samples.
const SNAPSHOT_TIME_MAX: Duration = Duration::from_secs(5);

type Shared = State<Arc<Collector>>;

pub(crate) fn router(collector: Arc<Collector>) -> Router {
    let api = Router::new()
        .route("/snapshot", get(snapshot))
        .route("/stream", get(stream))
        .route("/history", get(history))
        .route("/timeline", get(timeline))
        .route("/knobs", get(knobs))
        .route("/knobs/{service}/{name}", post(set_knob))
        .route("/faults", get(faults::list).post(faults::inject))
        .route("/faults/{id}", delete(faults::end))
        .route("/traces", get(traces::list))
        .route("/traces/{id}", get(traces::one))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::summary))
        .route("/runs/{id}/report", get(runs::report))
        .route("/runs/{id}/against/{other}", get(runs::compare))
        .fallback(async || ProblemReply::new(Code::NotFound, "the console has no such resource"))
        .layer(from_fn(same_site))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(collector);
    let page = Arc::new(Page::new());
    let files = move |request: Request| {
        let page = Arc::clone(&page);
        async move {
            page.answer(&request.map(Into::into))
                .map(axum::body::Body::from)
        }
    };
    Router::new()
        .route("/console", get(async || Redirect::permanent("/console/")))
        .nest("/console/api", api)
        .fallback(files)
}

/// Refuses changes that another site's page sends: on loopback without keys, the browser of
/// whoever sits here would be trusted.
async fn same_site(request: Request, next: Next) -> Response {
    let site = request
        .headers()
        .get("sec-fetch-site")
        .map(|v| v.as_bytes().to_vec());
    let foreign = site.is_some_and(|s| !matches!(&*s, b"same-origin" | b"none"));
    if foreign && request.method() != http::Method::GET {
        let detail = "this came from another site's page; open the console and do it there";
        return ProblemReply::new(Code::Forbidden, detail).into_response();
    }
    next.run(request).await
}

/// Figures and traces are not for everybody.
pub(crate) type Known = web::May<Admin>;

/// The system now. Collecting starts with the first question and ends when nobody asks.
async fn snapshot(_: Known, State(collector): Shared) -> Result<Json<Snapshot>, ProblemReply> {
    let mut watcher = collector.watch();
    let seen = tokio::time::timeout(
        SNAPSHOT_TIME_MAX,
        watcher.snapshots.wait_for(Option::is_some),
    );
    if let Ok(Ok(latest)) = seen.await
        && let Some(latest) = latest.as_deref()
    {
        let mut latest = latest.clone();
        latest.marks = collector.past().1;
        return Ok(Json(latest));
    }
    Err(ProblemReply::new(
        Code::Unavailable,
        "there are no figures yet; ask again in a second",
    ))
}

async fn history(_: Known, State(collector): Shared) -> impl IntoResponse {
    Json(collector.past().0)
}

/// First all that is known of the past (`past`), then the system each second (`now`).
async fn stream(_: Known, State(collector): Shared) -> Result<Response, ProblemReply> {
    if collector.watchers() >= WATCHERS_MAX {
        let detail = "too many pages watch this system; close one";
        return Err(ProblemReply::new(Code::RateLimited, detail));
    }
    let mut watcher = collector.watch();
    let web::Sse { sender, response } = web::sse(HEARTBEAT, &collector.deps().leaving);
    let tasks = collector.deps().tasks.clone();
    tasks.clone().spawn(async move {
        let past = json(&collector.past().0);
        if !sender.send("past", None, &past) {
            return;
        }
        let mut marks_sent = 0;
        loop {
            let latest = watcher.snapshots.borrow_and_update().clone();
            if let Some(latest) = latest {
                let mut latest = Snapshot::clone(&latest);
                latest.marks = collector.marks(marks_sent);
                marks_sent = latest.marks.iter().map(|m| m.id).fold(marks_sent, u64::max);
                if !sender.send("now", None, &json(&latest)) {
                    return;
                }
            }
            tokio::select! {
                changed = watcher.snapshots.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
                () = tasks.stopping() => return,
            }
        }
    });
    Ok(response.map(axum::body::Body::new))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data with text keys")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: u64,
}

#[derive(Serialize)]
struct Marks {
    items: Vec<Mark>,
}

/// What happened when. `?after=ID` for what is new.
async fn timeline(
    _: Known,
    State(collector): Shared,
    Query(After { after }): Query<After>,
) -> Json<Marks> {
    let mut watcher = collector.watch();
    let fresh = watcher.snapshots.wait_for(Option::is_some);
    let _ = tokio::time::timeout(SNAPSHOT_TIME_MAX, fresh).await;
    Json(Marks {
        items: collector.marks(after),
    })
}

#[derive(Serialize)]
struct KnobList {
    items: Vec<KnobView>,
}

async fn knobs(_: Known, State(collector): Shared) -> Result<Json<KnobList>, ProblemReply> {
    let items = collector.cluster().knobs().await.map_err(|e| problem(&e))?;
    Ok(Json(KnobList { items }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    value: String,
}

async fn set_knob(
    State(collector): Shared,
    Path((service, name)): Path<(String, String)>,
    change: Mutation<Admin, Json<Setting>>,
) -> Result<Json<KnobView>, ProblemReply> {
    let Json(Setting { value }) = change.body;
    let set = collector.cluster().set_knob(&service, &name, &value).await;
    set.map(Json).map_err(|e| problem(&e))
}
