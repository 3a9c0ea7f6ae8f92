//! Processes that are killed and stopped, and go on when the lease ends, even without a controller.

use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use testkit::TempDir;

use super::HOUR_MS;
use crate::program::{Program, answered, command, refused, state};
use crate::sandbox::soon;
use crate::{Sandbox, Store, Topology};

/// A lease that ends while a test waits, and not before a busy machine has seen that it is there.
const LEASE_MS: u64 = 5_000;

/// The number of the process called `name`.
async fn pid(sandbox: &Sandbox, name: &str) -> Option<u32> {
    let status = sandbox.internal(&sandbox.admin, "/system").await;
    let replicas = status["replicas"].as_array()?.clone();
    let named = replicas.into_iter().find(|r| r["id"] == name)?;
    u32::try_from(named["pid"].as_u64()?).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_killed_and_comes_back_as_another_process() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let before = pid(&sandbox, "links-2").await.expect("it runs");
    let kill = json!({"seam": "process", "effect": "kill", "replica": "links-2"});
    let struck = sandbox.inject(&kill).await;
    assert_eq!(struck["replicas"], json!(["links-2"]));
    soon("another one runs", || async {
        pid(&sandbox, "links-2")
            .await
            .is_some_and(|now| now != before)
    })
    .await;
    let told = sandbox.internal(&sandbox.admin, "/system/timeline").await;
    assert!(told.to_string().contains("was killed by SIGKILL"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_with_its_lease_or_when_it_is_ended() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let victim = pid(&sandbox, "links-1").await.expect("it runs");
    let stop = |ttl_ms| json!({"seam": "process", "effect": "stop", "replica": "links-1", "ttl_ms": ttl_ms});
    let fault = sandbox.inject(&stop(HOUR_MS)).await;
    soon("it stands still", || async { state(victim) == Some('T') }).await;
    sandbox.end(&fault).await;
    soon("it goes on", || async { state(victim) != Some('T') }).await;
    sandbox.inject(&stop(LEASE_MS)).await;
    soon("it stands still", || async { state(victim) == Some('T') }).await;
    soon("it goes on by itself", || async {
        state(victim) != Some('T')
    })
    .await;
    assert_eq!(
        pid(&sandbox, "links-1").await,
        Some(victim),
        "the same process"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_with_its_lease_when_the_controller_is_killed() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let victim = pid(&sandbox, "links-1").await.expect("it runs");
    let stop =
        json!({"seam": "process", "effect": "stop", "replica": "links-1", "ttl_ms": LEASE_MS});
    sandbox.inject(&stop).await;
    soon("it stands still", || async { state(victim) == Some('T') }).await;
    sandbox
        .program()
        .expect("a program")
        .signal(Signal::SIGKILL);
    // It goes on, sees that its supervisor is gone, and ends: a process that stands still cannot.
    soon("it goes on", || async {
        matches!(state(victim), None | Some('Z'))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_faults_end_with_their_lease_when_the_controller_is_killed() {
    let sandbox = Sandbox::start(Topology::Apart, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite");
    let late = json!({
        "seam": "request", "effect": "error", "service": "links", "ttl_ms": LEASE_MS,
    });
    let replica = sandbox.links_processes().await.remove(0);
    let replica = testkit::Client::new(replica);
    sandbox.inject(&late).await;
    // The supervisor is frozen, not killed: its children would end with it.
    sandbox
        .program()
        .expect("a program")
        .signal(Signal::SIGSTOP);
    let fails = async || {
        let reply = replica.get("/api/links").await.expect("an answer");
        reply.status == 503
    };
    assert!(fails().await);
    soon("the replica ends it by itself", || async { !fails().await }).await;
    sandbox
        .program()
        .expect("a program")
        .signal(Signal::SIGCONT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_process_stops_itself_and_goes_on() {
    let dir = TempDir::new().expect("a directory");
    let data = dir.path().to_str().expect("text");
    let program = Program::up(dir.path(), &[], &[]);
    let victim = program.ready()["pid"].as_u64().expect("a number");
    let victim = u32::try_from(victim).expect("a number");
    let stop = [
        "fault",
        "add",
        "process",
        "stop",
        "--service",
        "links",
        "--ttl",
        "5s",
    ];
    // Not waited for: the answer may come only when the process goes on.
    let mut adding = command(dir.path());
    let adding = adding.args(stop).args(["--data", data, "--json"]);
    let adding = adding.stdout(Stdio::piped()).spawn().expect("it starts");
    soon("it stands still", || async { state(victim) == Some('T') }).await;
    soon("it goes on", || async { state(victim) != Some('T') }).await;
    let added = adding.wait_with_output().expect("it ends");
    let added: Value = serde_json::from_slice(&added.stdout).expect("JSON");
    assert_eq!(added["replicas"], json!(["tradewind"]));
    let list = answered(dir.path(), &["fault", "list", "--data", data]);
    assert!(list["faults"].is_array(), "{list}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_struck_in_its_callers_process_and_a_policy_goes_where_the_edge_is() {
    for (args, caller) in [
        (&["--demo"][..], "tradewind"),
        (&["--demo", "--apart"][..], "supervisor"),
    ] {
        let dir = TempDir::new().expect("a directory");
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let mut program = Program::up(dir.path(), &args, &[]);
        let admin = testkit::Client::new(program.url("admin"));
        let post = async |path: &str, body: Value| {
            let reply = admin.json(http::Method::POST, path, &body).await;
            reply.expect("an answer")
        };
        let fails = json!({
            "seam": "call", "effect": "error", "caller": "demo", "service": "links",
            "code": "internal", "ttl_ms": HOUR_MS,
        });
        let struck = post("/system/faults", fails).await;
        assert_eq!(
            struck.json()["replicas"],
            json!([caller]),
            "{}",
            struck.text()
        );
        soon("calls of the demo are struck", || async {
            let seen = admin.get("/system/faults").await.expect("an answer").json();
            seen[0]["hits"].as_u64() > Some(0)
        })
        .await;
        let policy = json!({"caller": "demo", "callee": "links", "policy": {"timeout_ms": 1_500}});
        let took = post("/system/policies", policy).await;
        assert_eq!(took.json()["replicas"], json!([caller]), "{}", took.text());
        let near = json!({"seam": "call", "effect": "drop", "caller": "demoo", "ttl_ms": 1});
        let refused = post("/system/faults", near).await;
        assert!(
            refused.text().contains("did you mean demo?"),
            "{}",
            refused.text()
        );
        program.stop();
    }
}

#[test]
fn the_command_line_adds_lists_and_ends_faults_and_says_no_in_words() {
    let dir = TempDir::new().expect("a directory");
    let data = dir.path().to_str().expect("text").to_owned();
    let mut program = Program::up(dir.path(), &[], &[]);
    let with =
        |args: &[&str]| -> Value { answered(dir.path(), &[args, &["--data", &data]].concat()) };
    let add = [
        "fault",
        "add",
        "request",
        "latency",
        "--service",
        "links",
        "--ms",
        "20",
    ];
    let more = [
        "--jitter-ms",
        "5",
        "--probability",
        "0.5",
        "--seed",
        "7",
        "--ttl",
        "60s",
    ];
    let added = with(&[&add[..], &more].concat());
    assert_eq!(
        (&added["seed"], &added["probability"]),
        (&json!(7), &json!(0.5))
    );
    let clock = [
        "fault", "add", "clock", "step", "--ms", "-5000", "--ttl", "60s",
    ];
    with(&clock);
    let list = with(&["fault", "list"]);
    assert_eq!(list["faults"].as_array().map(Vec::len), Some(2), "{list}");
    let id = added["id"].as_str().expect("an id");
    assert_eq!(with(&["fault", "clear", id])["ended"], json!([id]));
    assert_eq!(
        with(&["fault", "clear"])["ended"].as_array().map(Vec::len),
        Some(1)
    );
    refuses_in_words(dir.path(), &data);
    program.stop();
}

fn refuses_in_words(dir: &Path, data: &str) {
    let no = |args: &[&str]| refused(dir, &[args, &["--data", data]].concat());
    for (args, part) in [
        (
            &["fault", "add", "request", "lateny", "--ttl", "1s"][..],
            "did you mean latency?",
        ),
        (&["fault", "add", "request", "drop"][..], "needs ttl_ms"),
        (
            &[
                "fault",
                "add",
                "request",
                "drop",
                "--ttl",
                "1s",
                "--service",
                "lniks",
            ][..],
            "did you mean links?",
        ),
        (
            &["fault", "add", "process", "kill"][..],
            "say which process",
        ),
        (
            &["fault", "clear", "nothing"][..],
            "no fault is called 'nothing'",
        ),
        (
            &["fault", "add", "call", "drop", "--ttl", "soon"][..],
            "such as 10s",
        ),
    ] {
        let said = no(args);
        assert!(said.contains(part), "{args:?}: {said}");
    }
}
