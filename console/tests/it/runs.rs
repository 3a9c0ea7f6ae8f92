//! Runs of experiments as the page asks for them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use console::{RunLine, Runs, RunsError};
use kernel::Principal;
use serde_json::json;

use crate::fake::{Console, json as read, text};

/// Five runs, `5-e` the newest.
struct Five;

const NAMES: [&str; 5] = ["5-e", "4-d", "3-c", "2-b", "1-a"];

fn known(id: &str) -> Result<(), RunsError> {
    let found = NAMES.contains(&id).then_some(());
    found.ok_or_else(|| RunsError::NotFound(id.to_owned()))
}

#[async_trait]
impl Runs for Five {
    async fn list(&self, after: Option<String>, limit: usize) -> Result<Vec<RunLine>, RunsError> {
        let lines = NAMES
            .iter()
            .filter(|name| after.as_deref().is_none_or(|after| **name < after));
        let line = |name: &&str| RunLine {
            id: (*name).to_owned(),
            experiment: "cache-policies".to_owned(),
            title: "Cache policies".to_owned(),
            started_at: 5,
            elapsed_s: 1.5,
            quick: true,
            passed: Some(true),
            outcome: "passed, 2 checks".to_owned(),
        };
        Ok(lines.take(limit).map(line).collect())
    }

    async fn summary(&self, id: &str) -> Result<Bytes, RunsError> {
        known(id)?;
        Ok(json!({ "id": id }).to_string().into())
    }

    async fn report(&self, id: &str) -> Result<Bytes, RunsError> {
        known(id)?;
        Ok("<!doctype html><title>a report</title>".into())
    }

    async fn compare(&self, before: &str, after: &str) -> Result<Bytes, RunsError> {
        known(before)?;
        known(after)?;
        Ok(json!({ "before": before, "after": after })
            .to_string()
            .into())
    }
}

fn console() -> Console {
    Console::with_runs(Arc::new(Five))
}

#[tokio::test]
async fn runs_are_listed_page_by_page_and_no_page_is_endless() {
    let console = console();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..3 {
        let (status, page) = console
            .get(&format!("/console/api/runs?limit=2{cursor}"))
            .await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().expect("items").clone();
        seen.extend(
            items
                .iter()
                .filter_map(|line| line["id"].as_str().map(str::to_owned)),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, NAMES);
    let (_, all) = console.get("/console/api/runs?limit=999999").await;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        console.get("/console/api/runs?cursor=nonsense!").await.0,
        422
    );
    let (_, none) = Console::new().get("/console/api/runs").await;
    assert_eq!(none, json!({ "items": [] }));
}

#[tokio::test]
async fn a_run_and_a_comparison_are_json() {
    let console = console();
    assert_eq!(
        console.get("/console/api/runs/5-e").await,
        (200, json!({ "id": "5-e" }))
    );
    assert_eq!(
        console.get("/console/api/runs/1-a/against/5-e").await,
        (200, json!({ "before": "1-a", "after": "5-e" }))
    );
    let (status, problem) = console.get("/console/api/runs/9-z").await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    assert_eq!(
        console.get("/console/api/runs/1-a/against/9-z").await.0,
        404
    );
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_refused() {
    let console = console();
    for name in [
        "..%2F..%2Fetc",
        "%2e%2e",
        "a.json",
        "a%00",
        "%C3%A4",
        "a%5Cb",
    ] {
        for path in ["", "/report", "/against/1-a"] {
            let (status, _) = console
                .get(&format!("/console/api/runs/{name}{path}"))
                .await;
            assert!(matches!(status, 404 | 422), "{name}{path}: {status}");
        }
        let (status, _) = console
            .get(&format!("/console/api/runs/1-a/against/{name}"))
            .await;
        assert!(matches!(status, 404 | 422), "{name}: {status}");
    }
    let (status, problem) = console.get("/console/api/runs/a.json").await;
    assert_eq!(status, 422);
    assert!(
        problem["detail"]
            .as_str()
            .expect("words")
            .contains("letters, digits")
    );
}

#[tokio::test]
async fn a_report_is_a_page_in_which_nothing_runs() {
    let console = console();
    let request = http::Request::get("/console/api/runs/5-e/report");
    let response = console.send(Principal::LOCAL, request, "").await;
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
    let policy = header("content-security-policy");
    for part in ["default-src 'none'", "sandbox", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(
        !policy.contains("script-src") && !policy.contains("allow-scripts"),
        "{policy}"
    );
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(text(response).await.contains("a report"));
}

#[tokio::test]
async fn runs_are_not_for_everybody() {
    let console = console();
    for path in ["", "/5-e", "/5-e/report", "/5-e/against/1-a"] {
        let request = http::Request::get(format!("/console/api/runs{path}"));
        let (status, _) = read(console.send(Principal::ANONYMOUS, request, "").await).await;
        assert_eq!(status, 401, "{path}");
    }
}
