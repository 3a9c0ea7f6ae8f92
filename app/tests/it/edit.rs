//! An edit is seen by every replica, whatever else is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use kernel::Tasks;
use serde_json::json;
use testkit::{Client, Nats, Redis, TempDir};
use tokio_util::sync::CancellationToken;

use crate::BROWSER;
use crate::program::Program;
use crate::sandbox::soon;
use crate::{Sandbox, story};

story!(an_edit_is_seen_everywhere_and_nobody_falls_back);

/// So many visits in a row reach every one of three replicas.
const ROUNDS: usize = 30;
/// Where a link leads after its last edit.
const LAST: &str = "https://example.com/v3";

async fn an_edit_is_seen_everywhere_and_nobody_falls_back(sandbox: Sandbox) {
    edits_are_seen(&sandbox.client, "edited").await;
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
    edits_are_seen(&Client::new(program.url("gateway")), "edited").await;
    program.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_while_redis_and_nats_hang_and_nothing_old_comes_back_with_them() {
    let (Some(redis), Some(nats)) = (Redis::start().await, Nats::start().await) else {
        return;
    };
    let dir = TempDir::new().expect("a temporary directory");
    let mut args = ["--apart", "--replicas", "links=3", "--bus"]
        .map(str::to_owned)
        .to_vec();
    args.extend([nats.url(), "--cache".to_owned(), redis.url()]);
    let mut program = Program::up(dir.path(), &args, &[]);
    let client = Client::new(program.url("gateway"));
    edits_are_seen(&client, "before").await;
    let work = Work::begin(&client).await;
    work.goes_on().await;
    redis.pause();
    nats.pause();
    work.goes_on().await;
    edits_are_seen(&client, "during").await;
    work.goes_on().await;
    redis.resume();
    nats.resume();
    work.goes_on().await;
    edits_are_seen(&client, "after").await;
    work.end(&client).await;
    program.stop();
    // With an empty memory a replica asks Redis first.
    let mut program = Program::up(dir.path(), &args, &[]);
    let client = Client::new(program.url("gateway"));
    for code in ["before", "during", "after"] {
        for _ in 0..ROUNDS {
            let visit = client.get(&format!("/{code}")).await.expect("answers");
            assert_eq!(visit.header("location"), LAST, "{code}");
        }
    }
    program.stop();
}

/// People who make and visit links all the time. None of them may see an error.
struct Work {
    stop: CancellationToken,
    done: Arc<AtomicU64>,
    clients: Vec<tokio::task::JoinHandle<u64>>,
}

impl Work {
    async fn begin(client: &Client) -> Self {
        let link = json!({ "url": "https://example.com/", "code": "busy" });
        let made = client.json(Method::POST, "/api/links", &link).await;
        assert_eq!(made.expect("answers").status, 201);
        let (stop, done) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let tasks = Tasks::new();
        let clients = (0..4).map(|number| {
            let (client, stop, done) = (client.clone(), stop.clone(), Arc::clone(&done));
            tasks.spawn(async move {
                let mut visits = 0;
                while !stop.is_cancelled() {
                    visit_and_make(&client, &format!("busy-{number}-{visits}")).await;
                    visits += 1;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                visits
            })
        });
        let clients = clients.collect();
        Self {
            stop,
            done,
            clients,
        }
    }

    /// Waits until more work was done.
    async fn goes_on(&self) {
        let goal = self.done.load(Ordering::Relaxed) + 50;
        soon("work goes on", || async {
            self.done.load(Ordering::Relaxed) >= goal
                || self.clients.iter().any(|c| c.is_finished())
        })
        .await;
    }

    /// Ends it; every visit was counted.
    async fn end(self, client: &Client) {
        self.stop.cancel();
        let mut visits = 0;
        for worker in self.clients {
            visits += worker.await.expect("nobody saw an error");
        }
        soon("every click is counted", || async {
            let stats = client.get("/api/links/busy/stats").await.expect("answers");
            stats.json()["total_clicks"] == visits
        })
        .await;
    }
}

async fn visit_and_make(client: &Client, code: &str) {
    let person = [("user-agent", BROWSER)];
    let visit = client.send(Method::GET, "/busy", &person, "").await;
    assert_eq!(visit.expect("answers").status, 302);
    let link = json!({ "url": format!("https://example.com/{code}"), "code": code });
    let made = client.json(Method::POST, "/api/links", &link).await;
    let made = made.expect("answers");
    assert_eq!(made.status, 201, "{}", made.text());
    let visit = client.get(&format!("/{code}")).await.expect("answers");
    assert_eq!(
        visit.header("location"),
        link["url"].as_str().expect("a target")
    );
}

async fn edits_are_seen(client: &Client, code: &str) {
    let (path, api) = (format!("/{code}"), format!("/api/links/{code}"));
    let link = json!({ "url": "https://example.com/v0", "code": code });
    let made = client.json(Method::POST, "/api/links", &link).await;
    assert_eq!(made.expect("answers").status, 201);
    let visit = async || client.get(&path).await.expect("answers");
    for version in 1..=3 {
        // Every replica has the old target in its memory.
        for _ in 0..ROUNDS {
            assert_eq!(visit().await.status, 302);
        }
        let target = format!("https://example.com/v{version}");
        let edit = json!({ "url": target });
        let patched = client.json(Method::PATCH, &api, &edit).await;
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
