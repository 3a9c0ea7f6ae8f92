//! A replica that is killed: nobody notices, and it comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::sandbox::soon;
use crate::{Sandbox, Store, Topology};

const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_one_replica_of_three_fails_no_visit_and_it_is_started_again() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite)
        .await
        .expect("SQLite");
    let sandbox = Arc::new(sandbox);
    let code = Arc::new(sandbox.code_for("https://example.com/alive").await);
    let (stop, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (sandbox, code) = (Arc::clone(&sandbox), Arc::clone(&code));
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            kernel::Tasks::new().spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let visit = sandbox.visit(&code).await;
                    assert_eq!(visit.status, 302, "{}", visit.text());
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let more = async |n: usize| {
        let goal = done.load(Ordering::Relaxed) + n;
        soon("visits go on", || async {
            done.load(Ordering::Relaxed) >= goal
        })
        .await;
    };
    for victim in ["links-2", "links-3"] {
        more(200).await;
        let before = replica(&sandbox, victim).await;
        let pid = i32::try_from(before["pid"].as_i64().expect("it runs")).expect("a process id");
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("killed");
        more(200).await;
        soon("it is up again", || async {
            let now = replica(&sandbox, victim).await;
            now["state"] == "up" && now["restarts"] == 1 && now["pid"] != before["pid"]
        })
        .await;
        more(200).await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no visit failed");
    }
    let timeline = sandbox
        .internal(&sandbox.admin, "/admin/timeline")
        .await
        .to_string();
    assert!(
        timeline.contains("links-2 was killed by SIGKILL"),
        "{timeline}"
    );
    assert!(timeline.contains("links-2 is started again"), "{timeline}");
}

async fn replica(sandbox: &Sandbox, id: &str) -> Value {
    let status = sandbox.internal(&sandbox.admin, "/system").await;
    let replicas = status["replicas"].as_array().expect("a list");
    replicas
        .iter()
        .find(|r| r["id"] == id)
        .expect("it is known")
        .clone()
}
