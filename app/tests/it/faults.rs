//! Faults on a running system: seen where they strike, told to everybody whom they are meant for,
//! and over at their time, whatever becomes of whoever asked.

mod alone;
mod processes;
mod sockets;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::sandbox::soon;
use crate::{Sandbox, Store, Topology, story};

const HOUR_MS: u64 = 3_600_000;

story!(a_request_fault_strikes_in_every_topology_and_ends);
story!(a_store_that_fails_is_seen_and_is_well_again);
story!(what_cannot_be_is_refused_with_the_nearest);

async fn a_request_fault_strikes_in_every_topology_and_ends(sandbox: Sandbox) {
    let code = sandbox.code_for("https://example.com/f").await;
    let fails = json!({
        "seam": "request", "effect": "error", "code": "rate_limited", "service": "links",
        "method": "/api/", "ttl_ms": HOUR_MS,
    });
    let fault = sandbox.inject(&fails).await;
    let list = async || sandbox.client.get("/api/links").await.expect("an answer");
    let reply = list().await;
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert!(reply.text().contains(fault["id"].as_str().expect("an id")));
    assert_eq!(sandbox.visit(&code).await.status, 302, "another path");
    let seen = sandbox.internal(&sandbox.admin, "/system/faults").await;
    assert!(seen[0]["hits"].as_u64() >= Some(1), "{seen}");
    sandbox.end(&fault).await;
    assert_eq!(list().await.status, 200);
    let short = json!({
        "seam": "request", "effect": "drop", "service": "links", "method": "/api/", "ttl_ms": 1_500,
    });
    sandbox.inject(&short).await;
    // Nobody is kept waiting beyond the lease, and the next one is answered.
    list().await;
    soon("the lease ends", || async { list().await.status == 200 }).await;
    let at_the_door = json!({
        "seam": "request", "effect": "error", "service": "gateway", "max_hits": 1, "ttl_ms": HOUR_MS,
    });
    sandbox.inject(&at_the_door).await;
    assert_eq!(sandbox.visit(&code).await.status, 503, "as often as it may");
    assert_eq!(sandbox.visit(&code).await.status, 302, "and no more");
    let told = sandbox.internal(&sandbox.admin, "/system/timeline").await;
    let of = |change: &str| {
        let events = told.as_array().expect("a list").iter();
        events
            .filter(|event| event["attributes"]["change"] == change)
            .count()
    };
    assert!(of("begun") >= 3 && of("ended") >= 1, "{told}");
    assert!(of("expired") >= 1 && of("spent") >= 1, "{told}");
}

async fn a_store_that_fails_is_seen_and_is_well_again(sandbox: Sandbox) {
    let create = async || {
        let link = json!({ "url": "https://example.com/s" });
        let reply = sandbox.client.json(Method::POST, "/api/links", &link).await;
        reply.expect("the gateway answers").status
    };
    for effect in ["io_error", "disk_full"] {
        let fails = json!({
            "seam": "storage", "effect": effect, "service": "links", "ttl_ms": HOUR_MS,
        });
        let fault = sandbox.inject(&fails).await;
        assert_eq!(create().await, 503, "{effect}");
        sandbox.end(&fault).await;
        soon("it is well again", || async { create().await == 201 }).await;
    }
    let slow = json!({
        "seam": "storage", "effect": "slow_commit", "ms": 300, "service": "links", "ttl_ms": HOUR_MS,
    });
    let fault = sandbox.inject(&slow).await;
    let start = std::time::Instant::now();
    assert_eq!(create().await, 201);
    assert!(start.elapsed() >= Duration::from_millis(300));
    sandbox.end(&fault).await;
}

async fn what_cannot_be_is_refused_with_the_nearest(sandbox: Sandbox) {
    let told = [
        (
            json!({"seam": "request", "effect": "drop", "service": "lniks", "ttl_ms": 1}),
            "did you mean links?",
        ),
        (
            json!({"seam": "request", "effect": "drop", "replica": "nobody", "ttl_ms": 1}),
            "no process 'nobody'",
        ),
        (
            json!({"seam": "call", "effect": "drop", "caller": "nobody", "ttl_ms": 1}),
            "no caller 'nobody'",
        ),
        (
            json!({"seam": "requets", "effect": "drop", "ttl_ms": 1}),
            "did you mean request?",
        ),
        (
            json!({"seam": "request", "effect": "kill", "ttl_ms": 1}),
            "latency, error, drop",
        ),
        (
            json!({"seam": "socket", "effect": "reset", "service": "links", "ttl_ms": 1}),
            "internal.proxied = true",
        ),
    ];
    for (fault, part) in told {
        let reply = sandbox.change(Method::POST, "/system/faults", &fault).await;
        assert!(reply.status.is_client_error(), "{fault}: {}", reply.text());
        assert!(reply.text().contains(part), "{fault}: {}", reply.text());
    }
    let unknown = sandbox
        .change(Method::DELETE, "/system/faults/nobody", &Value::Null)
        .await;
    assert_eq!(unknown.status, 404, "{}", unknown.text());
    let policy = json!({"caller": "a", "callee": "b", "policy": {}});
    let unknown = sandbox
        .change(Method::POST, "/system/policies", &policy)
        .await;
    assert_eq!(unknown.status, 404, "{}", unknown.text());
    let nothing = sandbox.internal(&sandbox.admin, "/system/faults").await;
    assert_eq!(nothing, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_goes_to_the_replica_that_is_meant_and_to_no_other() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let one = json!({
        "seam": "request", "effect": "error", "replica": "links-2", "ttl_ms": HOUR_MS,
    });
    let fault = sandbox.inject(&one).await;
    assert_eq!(fault["replicas"], json!(["links-2"]));
    let all = json!({
        "seam": "request", "effect": "latency", "ms": 1, "service": "links", "ttl_ms": HOUR_MS,
    });
    let all = sandbox.inject(&all).await;
    assert_eq!(all["replicas"], json!(["links-1", "links-2", "links-3"]));
    let seen = sandbox.internal(&sandbox.admin, "/system/faults").await;
    assert_eq!(
        seen.as_array().map(Vec::len),
        Some(2),
        "one id each: {seen}"
    );
    let reply = sandbox
        .change(Method::DELETE, "/system/faults", &Value::Null)
        .await;
    assert_eq!(reply.json()["ended"].as_array().map(Vec::len), Some(2));
    let seen = sandbox.internal(&sandbox.admin, "/system/faults").await;
    assert_eq!(seen, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_is_seen_in_what_is_written_until_the_lease_ends() {
    let sandbox = Sandbox::start(Topology::Direct, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let created = async || {
        let link = sandbox
            .create(&json!({ "url": "https://example.com/c" }))
            .await;
        link["created_at"].clone()
    };
    let before = created().await;
    let back = json!({
        "seam": "clock", "effect": "step", "ms": -86_400_000, "service": "links", "ttl_ms": HOUR_MS,
    });
    let fault = sandbox.inject(&back).await;
    let (wrong, before) = (created().await.to_string(), before.to_string());
    assert!(wrong < before, "a day earlier: {wrong} after {before}");
    sandbox.end(&fault).await;
    let after = created().await.to_string();
    assert!(after >= before, "{after} before {before}");
}
