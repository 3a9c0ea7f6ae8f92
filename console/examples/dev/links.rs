//! A FAKE links API in memory, with the paths and shapes of the real one.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kernel::{Code, Problem};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use web::ProblemReply;

type Links = Arc<Mutex<Vec<Value>>>;
type Asked = Query<Map<String, Value>>;

const NOW: &str = "2026-11-23T13:28:01.000Z";

pub(super) fn router() -> Router {
    let hostile = "<img src=x onerror=\"document.title='owned'\">";
    let mut links: Vec<Value> = (0..120)
        .map(|n| {
            link(
                &format!("Ab{n:03}xy"),
                &json!({"url": format!("https://example.com/articles/{n}")}),
            )
        })
        .collect();
    links.push(link(
        "hostile",
        &json!({"url": "https://example.com/", "title": hostile, "tags": [hostile]}),
    ));
    Router::new()
        .route("/api/links", get(list).post(create))
        .route("/api/links/{id}", get(read).patch(change).delete(remove))
        .route("/api/links/{id}/stats", get(stats))
        .route("/api/links/{id}/history", get(history))
        .route("/api/links/{id}/rollback", post(rollback))
        .route("/api/links/{id}/explain", post(explain))
        .route("/api/links/{id}/qr.svg", get(qr))
        .route("/{code}", get(follow))
        .with_state(Arc::new(Mutex::new(links)))
}

fn link(code: &str, given: &Value) -> Value {
    let mut link = json!({
        "id": format!("id-{code}"), "code": code, "domain": null,
        "short_url": format!("http://127.0.0.1:7780/{code}"), "url": "", "title": null, "notes": null,
        "tags": [], "external_id": null, "enabled": true, "status": 302, "cache_control": null,
        "forward_query": false, "expires_at": null, "expired_url": null, "max_clicks": null,
        "clicks_left": null, "has_password": false, "rules": [], "clicks": 0,
        "last_clicked_at": null, "created_at": NOW, "created_by": "local", "updated_at": NOW, "version": 1,
    });
    merge(&mut link, given);
    link
}

fn merge(link: &mut Value, given: &Value) {
    for (name, value) in given.as_object().into_iter().flatten() {
        if name == "password" {
            link["has_password"] = json!(!value.is_null());
        } else {
            link[name] = value.clone();
        }
    }
    link["clicks_left"] = link["max_clicks"].clone();
}

fn missing() -> Response {
    ProblemReply::new(Code::NotFound, "there is no such link").into_response()
}

fn found(links: &Links, id: &str, act: impl FnOnce(&mut Value) -> Value) -> Response {
    let mut links = links.lock();
    let link = links.iter_mut().find(|l| l["id"] == id || l["code"] == id);
    link.map_or_else(missing, |link| Json(act(link)).into_response())
}

async fn list(State(links): State<Links>, Query(asked): Asked) -> Json<Value> {
    let text = |name: &str| {
        asked
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let start: usize = text("cursor").parse().unwrap_or(0);
    let limit: usize = text("limit").parse().unwrap_or(50);
    let search = text("search").to_lowercase();
    let links = links.lock();
    let matching: Vec<&Value> = links
        .iter()
        .rev()
        .filter(|l| l.to_string().to_lowercase().contains(&search))
        .collect();
    let items: Vec<&&Value> = matching.iter().skip(start).take(limit).collect();
    let next = (start + limit < matching.len()).then(|| (start + limit).to_string());
    Json(json!({ "items": items, "next_cursor": next }))
}

async fn create(State(links): State<Links>, Json(given): Json<Value>) -> Response {
    let url = given["url"].as_str().unwrap_or_default();
    if !url.starts_with("http") {
        let detail = "write an http or https URL";
        let problem =
            Problem::new(Code::Invalid, "the link cannot be made").with_field("/url", detail);
        return ProblemReply(Box::new(problem)).into_response();
    }
    let mut links = links.lock();
    let random = format!("New{}", links.len());
    let new = link(given["code"].as_str().unwrap_or(&random), &given);
    links.push(new.clone());
    (http::StatusCode::CREATED, Json(new)).into_response()
}

async fn read(State(links): State<Links>, Path(id): Path<String>) -> Response {
    found(&links, &id, |link| link.clone())
}

async fn change(
    State(links): State<Links>,
    Path(id): Path<String>,
    Json(given): Json<Value>,
) -> Response {
    found(&links, &id, |link| {
        merge(link, &given);
        link["version"] = json!(link["version"].as_u64().unwrap_or(1) + 1);
        link.clone()
    })
}

async fn remove(State(links): State<Links>, Path(id): Path<String>) -> Response {
    links.lock().retain(|l| l["id"] != id.as_str());
    Json(json!({ "deleted": 1 })).into_response()
}

async fn stats(
    State(links): State<Links>,
    Path(id): Path<String>,
    Query(asked): Asked,
) -> Response {
    let by_hour = asked.get("by").and_then(Value::as_str) == Some("hour");
    found(&links, &id, |link| {
        let clicks = link["clicks"].as_u64().unwrap_or(0);
        let series: Vec<Value> = (0..24)
            .map(|n| {
                let at = if by_hour {
                    format!("2026-11-23T{n:02}:00:00.000Z")
                } else {
                    format!("2026-11-{:02}T00:00:00.000Z", n + 1)
                };
                json!({ "at": at, "clicks": if n == 13 { clicks } else { (n * 7) % 11 } })
            })
            .collect();
        json!({
            "id": link["id"], "total_clicks": clicks, "from": NOW, "until": NOW, "clicks": clicks,
            "bots": 3, "heads": 1, "visitors": clicks, "visitors_exact": true, "series": series,
            "referrers": [{"name": "direct", "clicks": 12}, {"name": "<script>alert(1)</script>", "clicks": 5},
                {"name": "news.example.org", "clicks": 3}],
            "devices": [{"name": "desktop", "clicks": 14}, {"name": "ios", "clicks": 6}],
            "languages": [{"name": "en", "clicks": 15}, {"name": "de", "clicks": 5}],
        })
    })
}

async fn history(State(links): State<Links>, Path(id): Path<String>) -> Response {
    found(&links, &id, |link| {
        let last = link["version"].as_u64().unwrap_or(1);
        let versions: Vec<Value> = (1..=last)
            .rev()
            .map(|v| json!({"version": v, "at": NOW, "by": "local", "changed": ["title"], "snapshot": link}))
            .collect();
        json!({ "id": link["id"], "versions": versions })
    })
}

async fn rollback(State(links): State<Links>, Path(id): Path<String>) -> Response {
    found(&links, &id, |link| {
        link["version"] = json!(link["version"].as_u64().unwrap_or(1) + 1);
        link.clone()
    })
}

async fn explain(State(links): State<Links>, Path(id): Path<String>) -> Response {
    found(&links, &id, |link| {
        json!({
            "outcome": "redirect", "status": 302, "location": link["url"], "rule": null,
            "device": "desktop", "bot": false, "languages": ["en"],
            "steps": [{"step": "enabled", "passed": true, "reason": "the link is switched on"},
                {"step": "rule 0", "passed": false, "reason": "the device is desktop, the rule asks for ios"}],
        })
    })
}

async fn qr() -> impl IntoResponse {
    let squares: String = (0..441)
        .filter(|n| (n * n * 31 + n / 21) % 3 == 0)
        .map(|n| format!("<rect x='{}' y='{}' width='1' height='1'/>", n % 21, n / 21))
        .collect();
    let svg =
        format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 21 21'>{squares}</svg>");
    ([(http::header::CONTENT_TYPE, "image/svg+xml")], svg)
}

async fn follow(State(links): State<Links>, Path(code): Path<String>) -> Response {
    let mut links = links.lock();
    let Some(link) = links.iter_mut().find(|l| l["code"] == code.as_str()) else {
        return missing();
    };
    link["clicks"] = json!(link["clicks"].as_u64().unwrap_or(0) + 1);
    Redirect::to(link["url"].as_str().unwrap_or("/")).into_response()
}
