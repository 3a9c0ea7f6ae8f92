//! An edit is seen by every replica, whatever else is down.

use http::Method;
use serde_json::json;
use testkit::{Client, TempDir};

use crate::program::Program;
use crate::sandbox::soon;
use crate::{Sandbox, story};

story!(an_edit_is_seen_everywhere_and_nobody_falls_back);

/// So many visits in a row reach every one of three replicas.
const ROUNDS: usize = 30;

async fn an_edit_is_seen_everywhere_and_nobody_falls_back(sandbox: Sandbox) {
    edits_are_seen(&sandbox.client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_seen_everywhere_with_redis_and_nats_down() {
    let dir = TempDir::new().expect("a temporary directory");
    // Nobody listens on port 1.
    let args = [
        "--apart",
        "--replicas",
        "links=3",
        "--bus",
        "nats://127.0.0.1:1",
        "--cache",
        "redis://127.0.0.1:1/0",
    ];
    let mut program = Program::up(dir.path(), &args.map(str::to_owned), &[]);
    edits_are_seen(&Client::new(program.url("gateway"))).await;
    program.stop();
}

async fn edits_are_seen(client: &Client) {
    let link = json!({ "url": "https://example.com/v0", "code": "edited" });
    let made = client.json(Method::POST, "/api/links", &link).await;
    assert_eq!(made.expect("answers").status, 201);
    let visit = async || client.get("/edited").await.expect("answers");
    for version in 1..=3 {
        // Every replica has the old target in its memory.
        for _ in 0..ROUNDS {
            assert_eq!(visit().await.status, 302);
        }
        let target = format!("https://example.com/v{version}");
        let edit = json!({ "url": target });
        let patched = client.json(Method::PATCH, "/api/links/edited", &edit).await;
        let patched = patched.expect("answers");
        assert_eq!(patched.status, 200, "{}", patched.text());
        soon("every replica leads to the new target", || async {
            for _ in 0..ROUNDS {
                if visit().await.header("location") != target {
                    return false;
                }
            }
            true
        })
        .await;
        for _ in 0..ROUNDS {
            assert_eq!(visit().await.header("location"), target);
        }
    }
}
