//! The JSON twins of the page's screens.

use kernel::Principal;
use serde_json::json;
use telemetry::{EventKind, SpanKind};

use crate::fake::{Console, json};
use crate::watching::until;

#[tokio::test]
async fn figures_follow_from_what_the_processes_count() {
    let console = Console::new();
    let (status, first) = console.get("/console/api/snapshot").await;
    assert_eq!((status, &first["about"]["store"]), (200, &json!("SQLite")));
    console.fake.traffic(100, 20);
    let mut seen = first;
    until("the failures are seen", async || {
        seen = console.get("/console/api/snapshot").await.1;
        seen["services"][1]["health"] == "failing"
    })
    .await;
    let links = &seen["services"][1];
    assert_eq!(
        (&links["name"], &links["errors"]),
        (&json!("links"), &json!(0.2))
    );
    assert_eq!(links["why"], "20 % of requests fail.");
    assert!(
        links["p99_ms"]
            .as_f64()
            .is_some_and(|ms| (2.0..4.1).contains(&ms)),
        "{links}"
    );
    assert_eq!(links["routes"][0]["route"], "/api/links");
    let edge = &seen["edges"][0];
    assert_eq!(
        (&edge["from"], &edge["to"]),
        (&json!("gateway"), &json!("links"))
    );
    assert_eq!(edge["health"], "failing");
    console.tasks.shutdown().await;
}

#[tokio::test]
async fn a_state_is_told_with_what_happened_just_before() {
    let console = Console::new();
    console.get("/console/api/snapshot").await;
    let text = "latency 800 ms on links";
    console.fake.telemetry[1]
        .timeline
        .record(EventKind::Fault, text, &[("service", "links")]);
    until("the fault is on the axis", async || {
        console
            .get("/console/api/timeline")
            .await
            .1
            .to_string()
            .contains(text)
    })
    .await;
    console.fake.traffic(100, 50);
    until("the cause is named", async || {
        let (_, seen) = console.get("/console/api/snapshot").await;
        seen["services"][1]["before"]["text"] == text
    })
    .await;
    console.tasks.shutdown().await;
}

#[tokio::test]
async fn a_process_that_does_not_answer_is_shown_as_down() {
    let console = Console::new();
    console.fake.dead.lock().insert("links-1".to_owned());
    let (_, seen) = console.get("/console/api/snapshot").await;
    let links = &seen["services"][1];
    assert_eq!(
        (&links["name"], &links["health"]),
        (&json!("links"), &json!("down"))
    );
    assert_eq!((&links["up"], &links["replicas"]), (&json!(0), &json!(1)));
    assert_eq!(
        seen["services"][0]["health"], "idle",
        "the others are not drawn in"
    );
    console.tasks.shutdown().await;
}

#[tokio::test]
async fn a_knob_is_switched_and_what_is_wrong_is_said() {
    let console = Console::new();
    let path = "/console/api/knobs/links/cache_policy";
    let (status, knob) = console.post(path, r#"{"value":"none"}"#).await;
    assert_eq!((status, &knob["value"]), (200, &json!("none")));
    let (_, knobs) = console.get("/console/api/knobs").await;
    assert_eq!(knobs["items"][0]["value"], "none");
    let (status, problem) = console.post(path, r#"{"value":"loud"}"#).await;
    assert_eq!(
        (status, &problem["detail"]),
        (422, &json!("it cannot be 'loud'"))
    );
    let (status, _) = console
        .post("/console/api/knobs/links/nothing", r#"{"value":"x"}"#)
        .await;
    assert_eq!(status, 404);
    let (status, problem) = console.post(path, r#"{"vaule":"none"}"#).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid")));
}

#[tokio::test]
async fn a_trace_is_put_together_from_every_process() {
    let console = Console::new();
    let [gateway, links] = &console.fake.telemetry;
    let root = gateway
        .traces
        .span("GET /{code}", "gateway", None, SpanKind::Server);
    let id = root.context().trace_id_hex();
    let mut child = links
        .traces
        .span("resolve", "links", Some(root.context()), SpanKind::Server);
    child.error("the store does not answer");
    child.end();
    root.end();
    gateway
        .traces
        .span("GET /livez", "gateway", None, SpanKind::Server)
        .end();

    let (_, list) = console.get("/console/api/traces").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
    let (_, failed) = console.get("/console/api/traces?failed=true").await;
    assert_eq!(failed["items"][0]["trace_id"], json!(id));
    let (status, trace) = console.get(&format!("/console/api/traces/{id}")).await;
    let names: Vec<&str> = trace["spans"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|s| s["name"].as_str())
        .collect();
    assert_eq!((status, &*names), (200, &["GET /{code}", "resolve"][..]));
    let unknown = format!("/console/api/traces/{:032x}", 1);
    assert_eq!(console.get(&unknown).await.0, 404);
    assert_eq!(console.get("/console/api/traces/nonsense").await.0, 422);
    assert_eq!(
        console.get("/console/api/traces?service=a%26b").await.0,
        422
    );
}

#[tokio::test]
async fn nobody_unknown_sees_figures_or_switches_anything() {
    let console = Console::new();
    for path in [
        "snapshot", "stream", "history", "timeline", "knobs", "traces",
    ] {
        let request = http::Request::get(format!("/console/api/{path}"));
        let (status, problem) = json(console.send(Principal::ANONYMOUS, request, "").await).await;
        assert_eq!(
            (status, &problem["code"]),
            (401, &json!("unauthenticated")),
            "{path}"
        );
    }
    let change = || {
        http::Request::post("/console/api/knobs/links/cache_policy")
            .header("content-type", "application/json")
    };
    let body = r#"{"value":"none"}"#;
    assert_eq!(
        console
            .send(Principal::ANONYMOUS, change(), body)
            .await
            .status(),
        401
    );
    let foreign = change().header("sec-fetch-site", "cross-site");
    assert_eq!(
        console.send(Principal::LOCAL, foreign, body).await.status(),
        403
    );
    let own = change().header("sec-fetch-site", "same-origin");
    assert_eq!(
        console.send(Principal::LOCAL, own, body).await.status(),
        200
    );
}

#[tokio::test]
async fn a_fault_is_injected_listed_and_ended() {
    let console = Console::new();
    let spec = r#"{"seam":"request","effect":"latency","service":"links","ms":50,"ttl_ms":60000}"#;
    let (status, begun) = console.post("/console/api/faults", spec).await;
    assert_eq!((status, &begun["replicas"]), (201, &json!(["links-1"])));
    let (_, list) = console.get("/console/api/faults").await;
    assert_eq!(list["items"][0]["id"], begun["id"]);
    assert_eq!(list["items"][0]["ms"], 50);
    let path = format!(
        "/console/api/faults/{}",
        begun["id"].as_str().expect("an id")
    );
    let end = async || {
        let request = http::Request::delete(&path);
        json(console.send(Principal::LOCAL, request, "").await)
            .await
            .0
    };
    assert_eq!((end().await, end().await), (200, 404));
    assert!(console.fake.faults.list().is_empty());
    for (wrong, told) in [
        (
            r#"{"seam":"request","effect":"lateny","ttl_ms":1}"#,
            "did you mean latency?",
        ),
        (
            r#"{"seam":"request","effect":"drop","tl_ms":1}"#,
            "did you mean ttl_ms?",
        ),
    ] {
        let (status, said) = console.post("/console/api/faults", wrong).await;
        assert!(
            status == 422 && said.to_string().contains(told),
            "{status} {said}"
        );
    }
    let stranger =
        http::Request::post("/console/api/faults").header("content-type", "application/json");
    let refused = console.send(Principal::ANONYMOUS, stranger, spec).await;
    assert_eq!(json(refused).await.0, 401);
    let other_site = http::Request::post("/console/api/faults")
        .header("content-type", "application/json")
        .header("sec-fetch-site", "cross-site");
    let refused = console.send(Principal::LOCAL, other_site, spec).await;
    assert_eq!(json(refused).await.0, 403);
    assert!(console.fake.faults.list().is_empty());
}
