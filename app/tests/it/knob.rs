//! A knob reaches every replica, does what it says, and is remembered.

use serde_json::Value;
use testkit::Client;

use crate::sandbox::soon;
use crate::{Sandbox, story};

story!(a_knob_reaches_every_replica_and_outlives_a_restart);

async fn a_knob_reaches_every_replica_and_outlives_a_restart(sandbox: Sandbox) {
    let code = sandbox.code_for("https://example.com/k").await;
    let turned = sandbox.turn("cache", "none").await;
    assert_eq!(turned.status, 200, "{}", turned.text());
    assert_eq!(turned.json()["value"], "none");
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

/// Waits until every process that runs links says that this knob of it is set to `value`.
pub(crate) async fn everywhere(sandbox: &Sandbox, name: &str, value: &str) {
    let processes: Vec<Client> = sandbox
        .links_processes()
        .await
        .into_iter()
        .map(Client::new)
        .collect();
    assert!(!processes.is_empty());
    soon("every process follows", || async {
        for process in &processes {
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
    })
    .await;
    let timeline = sandbox.internal(&processes[0], "/admin/timeline").await;
    let events = timeline.as_array().expect("a list");
    assert!(
        events.iter().any(|event| event["kind"] == "start"),
        "{timeline}"
    );
}
