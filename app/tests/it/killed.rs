//! A replica that is killed: nobody notices, and it comes back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use testkit::{Client, TempDir};

use crate::knob::everywhere;
use crate::program::{Program, answered};
use crate::sandbox::soon;
use crate::{Sandbox, Store, Topology};

const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_one_replica_of_three_fails_no_visit_counts_each_once_and_it_is_started_again() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite)
        .await
        .expect("SQLite");
    let sandbox = Arc::new(sandbox);
    let code = Arc::new(sandbox.code_for("https://example.com/alive").await);
    sandbox.turn("clicks", "durable").await;
    everywhere(&sandbox, "clicks", "durable").await;
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
        kill(pid(&before), Signal::SIGKILL).expect("killed");
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
    let answered = done.load(Ordering::Relaxed) as u64;
    assert_eq!(sandbox.clicks(&code).await, answered, "to the click");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_door_stays_open_while_the_gateway_is_started_again() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let code = sandbox.code_for("https://example.com/door").await;
    let before = replica(&sandbox, "gateway-1").await;
    kill(pid(&before), Signal::SIGKILL).expect("killed");
    soon("the supervisor has seen it", || async {
        replica(&sandbox, "gateway-1").await["pid"] != before["pid"]
    })
    .await;
    // The listener is the supervisor's: whoever comes now waits in its queue and is not refused.
    let client = Client::new(sandbox.client.base());
    let visit = client.get(&format!("/{code}")).await.expect("answers");
    assert_eq!(visit.status, 302);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_outlives_a_supervisor_that_was_killed() {
    let dir = TempDir::new().expect("a temporary directory");
    let args = ["--apart", "--replicas", "links=2"].map(str::to_owned);
    let program = Program::up(dir.path(), &args, &[]);
    let children = program.children();
    let status = answered(dir.path(), &["status", "--url", &program.url("admin")]);
    let replicas = status["replicas"].as_array().expect("a list");
    // The supervisor is one of them.
    assert_eq!(children.len() + 1, replicas.len(), "{children:?}: {status}");
    program.signal(Signal::SIGKILL);
    soon("every process is gone", || async {
        let alive = |pid: &u32| Path::new(&format!("/proc/{pid}/exe")).exists();
        !children.iter().any(alive)
    })
    .await;
}

pub(crate) fn pid(replica: &Value) -> Pid {
    let pid = replica["pid"].as_i64().expect("it runs");
    Pid::from_raw(i32::try_from(pid).expect("a process id"))
}

pub(crate) async fn replica(sandbox: &Sandbox, id: &str) -> Value {
    let status = sandbox.internal(&sandbox.admin, "/system").await;
    let replicas = status["replicas"].as_array().expect("a list");
    replicas
        .iter()
        .find(|r| r["id"] == id)
        .expect("it is known")
        .clone()
}
