//! A knob reaches every replica, does what it says, and is remembered.

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use testkit::Client;

use crate::killed::{pid, replica};
use crate::sandbox::soon;
use crate::{Sandbox, Store, Topology, story};

story!(a_knob_reaches_every_replica_and_outlives_a_restart);

async fn a_knob_reaches_every_replica_and_outlives_a_restart(sandbox: Sandbox) {
    let code = sandbox.code_for("https://example.com/k").await;
    let turned = sandbox.turn("cache", "none").await;
    assert_eq!(turned.status, 200, "{}", turned.text());
    assert_eq!(turned.json()["value"], "none");
    assert_eq!(turned.json()["mixed"], false);
    let processes = processes(&sandbox).await;
    assert!(
        all_have(&sandbox, &processes, "cache", "none").await,
        "every replica has followed when the answer comes"
    );
    everywhere(&sandbox, "cache", "none").await;
    assert_eq!(
        sandbox.visit(&code).await.status,
        302,
        "it works without a cache, too"
    );
    let refused = sandbox.turn("cache", "nnoe").await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    assert!(refused.text().contains("it can be"), "{}", refused.text());
    let unknown = sandbox.turn("cahce", "none").await;
    assert!(
        unknown.text().contains("did you mean cache?"),
        "{}",
        unknown.text()
    );
    let sandbox = sandbox.restart().await;
    everywhere(&sandbox, "cache", "none").await;
    assert_eq!(sandbox.turn("cache", "aside").await.status, 200);
    everywhere(&sandbox, "cache", "aside").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_does_not_follow_is_told_of() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let third = replica(&sandbox, "links-3").await;
    let (silent, address) = (pid(&third), &third["address"]);
    let mut settings = ["none", "aside"].into_iter().cycle();
    let mut turn = async || {
        let value = settings.next().expect("they have no end");
        sandbox.turn("cache", value).await
    };
    loop {
        kill(silent, Signal::SIGSTOP).expect("stopped");
        let turned = turn().await;
        kill(silent, Signal::SIGCONT).expect("continued");
        // Stopped in the middle of a transaction it keeps the others from writing.
        if turned.status == 200 {
            assert_eq!(turned.json()["mixed"], true, "{}", turned.text());
            break;
        }
    }
    // It has missed a lot: it is asked for no answer in time before it gives one at all.
    let awake = Client::new(format!("http://{}", address.as_str().expect("it listens")));
    soon("it is awake", async || awake.get("/livez").await.is_ok()).await;
    let turned = turn().await;
    assert_eq!(turned.json()["mixed"], false, "{}", turned.text());
}

/// The processes that run links.
async fn processes(sandbox: &Sandbox) -> Vec<Client> {
    let addresses = sandbox.links_processes().await;
    assert!(!addresses.is_empty());
    addresses.into_iter().map(Client::new).collect()
}

/// Whether each says that this knob of links is set to `value`.
async fn all_have(sandbox: &Sandbox, processes: &[Client], name: &str, value: &str) -> bool {
    for process in processes {
        let knobs = sandbox.internal(process, "/admin/knobs").await;
        let is_set = |knob: &Value| {
            knob["service"] == "links" && knob["name"] == name && knob["value"] == value
        };
        if !knobs
            .as_array()
            .is_some_and(|knobs| knobs.iter().any(is_set))
        {
            return false;
        }
    }
    true
}

/// Waits until every process that runs links says that this knob of it is set to `value`.
pub(crate) async fn everywhere(sandbox: &Sandbox, name: &str, value: &str) {
    let processes = processes(sandbox).await;
    soon("every process follows", || {
        all_have(sandbox, &processes, name, value)
    })
    .await;
    let timeline = sandbox.internal(&processes[0], "/admin/timeline").await;
    let events = timeline.as_array().expect("a list");
    assert!(
        events.iter().any(|event| event["kind"] == "start"),
        "{timeline}"
    );
}
