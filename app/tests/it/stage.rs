//! The lab's stage: ordinary services on ordinary edges, and only where they are wanted.

use serde_json::{Value, json};
use testkit::Client;

use crate::program::{refused, run, temporary};
use crate::sandbox::soon;
use crate::{Sandbox, Store, Topology};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_over_its_edge_directly() {
    story(Sandbox::with_stage(Topology::Direct).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_over_its_edge_strictly() {
    story(Sandbox::with_stage(Topology::Strict).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_over_its_edge_apart() {
    story(Sandbox::with_stage(Topology::Apart).await).await;
}

async fn story(sandbox: Sandbox) {
    let steady = sandbox.client.get("/stage/steady").await;
    assert_eq!(steady.expect("the gateway answers").status, 200);
    let other = sandbox.client.get("/stage/other").await;
    let other = other.expect("the gateway answers");
    assert_eq!(
        (other.status.as_u16(), other.header("content-type")),
        (404, "application/problem+json")
    );
    let two = two_at_once(&sandbox).await;
    assert_eq!(two, [200, 200], "four workers serve two");

    let front = sandbox.processes_of("stage_front").await.remove(0);
    let front = Client::new(front);
    let set = |bulkhead: Value| {
        let policy = json!({"retry": {"attempts": 1}, "bulkhead": bulkhead});
        json!({"caller": "stage_front", "callee": "stage_back", "policy": policy})
    };
    let one = set(json!({"max_in_flight": 1, "max_waiting": 0}));
    let told = sandbox.tell(&front, "/admin/policies", &one).await;
    assert_eq!(told.status, 200, "{}", told.text());
    soon("the second of two is refused", async || {
        let two = two_at_once(&sandbox).await;
        assert!(two.contains(&200), "{two:?}");
        two.contains(&503)
    })
    .await;
    let steady = sandbox.client.get("/stage/steady").await;
    assert_eq!(steady.expect("the gateway answers").status, 200);
    let told = sandbox
        .tell(&front, "/admin/policies", &set(json!({})))
        .await;
    assert_eq!(told.status, 200, "{}", told.text());
    assert_eq!(two_at_once(&sandbox).await, [200, 200]);

    let edges = sandbox.internal(&front, "/admin/edges").await;
    let edges = edges.as_array().expect("a list").clone();
    let from_front = |e: &&Value| e["caller"] == "stage_front";
    let callees: Vec<&Value> = edges
        .iter()
        .filter(from_front)
        .map(|e| &e["callee"])
        .collect();
    assert_eq!(callees, ["stage_back", "stage_steady"]);

    let set = json!({"service": "stage_back", "name": "admission", "value": "deadline"});
    let told = sandbox.tell(&sandbox.admin, "/system/knobs", &set).await;
    assert_eq!(told.json()["value"], "deadline", "{}", told.text());
}

/// The statuses of two requests for a job at the same time.
async fn two_at_once(sandbox: &Sandbox) -> [u16; 2] {
    let one = async || {
        let reply = sandbox.client.get("/stage/work").await;
        let reply = reply.expect("the gateway answers");
        if reply.status != 200 {
            assert_eq!(reply.header("content-type"), "application/problem+json");
        }
        reply.status.as_u16()
    };
    let (first, second) = tokio::join!(one(), one());
    [first, second]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_it_nothing_tells_of_the_stage() {
    let sandbox = Sandbox::start(Topology::Direct, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite needs no server");
    for path in ["/stage/work", "/stage/steady"] {
        let reply = sandbox.client.get(path).await.expect("the gateway answers");
        assert_eq!(reply.status, 404, "{path}");
    }
    let document = sandbox.client.get("/api/openapi.json").await;
    let document = document.expect("the gateway answers");
    assert!(!document.text().contains("stage"), "{}", document.text());
    for path in ["/system", "/system/knobs", "/admin/edges", "/admin/routes"] {
        let said = sandbox.internal(&sandbox.admin, path).await.to_string();
        assert!(!said.contains("stage"), "{path}: {said}");
    }
}

#[test]
fn without_it_none_of_its_services_can_be_served() {
    let (_dir, path) = temporary();
    let said = refused(&path, &["serve", "stage_front"]);
    assert!(said.contains("lab.stage = true"), "{said}");
    let said = refused(&path, &["serve", "stage"]);
    assert!(!said.contains("stage_"), "{said}");
    let help = run(&path, &["serve", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(
        help.contains("gateway") && !help.contains("stage_"),
        "{help}"
    );
    let set = ["up", "--apart", "--replicas", "stage_back=2"];
    let said = refused(&path, &set);
    assert!(
        said.contains("cannot have replicas") && said.ends_with("links\n"),
        "{said}"
    );
}
