//! `--target`: a system that runs already is used, and left as it was found.

use std::path::Path;

use http::Method;
use kernel::Ctx;
use serde_json::{Value, json};
use tradewind::keys::KeyFile;

use super::{VARIANTS, kept, output, run, said, small, write};
use crate::program::{refused, temporary};
use crate::{Sandbox, Store, Topology};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_is_left_as_it_was_found() {
    left_as_found(Sandbox::with_stage(Topology::Direct).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_apart_is_left_as_it_was_found() {
    left_as_found(Sandbox::with_stage(Topology::Apart).await).await;
}

const EDGE: &str = "stage_front -> stage_back";

async fn left_as_found(sandbox: Sandbox) {
    // Somebody has a design of their own, and a fault at work.
    let set = json!({ "service": "links", "name": "clicks", "value": "durable" });
    let told = sandbox.change(Method::POST, "/system/knobs", &set).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let policy = json!({ "timeout_ms": 4321, "retry": { "attempts": 2 } });
    let set = json!({ "caller": "stage_front", "callee": "stage_back", "policy": policy });
    let told = sandbox.change(Method::POST, "/system/policies", &set).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let foreign = json!({
        "seam": "request", "effect": "latency", "ms": 1, "service": "links", "ttl_ms": 3_600_000,
    });
    let foreign = sandbox.inject(&foreign).await;
    let before = state(&sandbox).await;

    let weather = "[[weather]]\nat_s = 0\nfault = { seam = 'request', effect = 'latency', \
                   ms = 2, service = 'links', ttl_ms = 3600000 }\n\
                   [[weather]]\nat_s = 0\nof = ['none']\n\
                   [weather.policies.'stage_front -> stage_steady']\ntimeout_ms = 3000\n";
    let policies = format!("[variant.policies.'{EDGE}']\ntimeout_ms = 1234\n");
    let (_guard, dir) = temporary();
    let text = small(&format!("{VARIANTS}{policies}{weather}")).replace("blocks = 1", "blocks = 2");
    let run = run(&dir, &text, &["--target", &sandbox.admin_url()]);
    assert_eq!((run.trials.len(), run.systems.len()), (4, 1));
    assert_eq!(run.systems[0].name, "target");

    assert_eq!(state(&sandbox).await, before);
    let faults = sandbox.internal(&sandbox.admin, "/system/faults").await;
    assert_eq!(
        ids(&faults),
        [foreign["id"].clone()],
        "its own are over, no other"
    );
    let changed = happened(&sandbox).await;
    for words in ["links.cache: ", "links.clicks: durable -> ", "stage_steady"] {
        assert!(
            changed.contains(words),
            "{words} was never changed: {changed}"
        );
    }
    assert!(!dir.join(".tradewind/lab").join(".small").exists());
    let visited = sandbox
        .client
        .get("/api/links")
        .await
        .expect("it still runs");
    assert_eq!(visited.status, 200);
}

/// Settings of knobs and policies.
async fn state(sandbox: &Sandbox) -> (Value, Value) {
    let mut knobs = sandbox.internal(&sandbox.admin, "/system/knobs").await;
    let list = knobs.as_array_mut().expect("a list");
    list.sort_by_key(|knob| format!("{}.{}", knob["service"], knob["name"]));
    let policies = sandbox.internal(&sandbox.admin, "/system/policies").await;
    let of = |p: &&Value| p["callee"] == "stage_back";
    let found = policies.as_array().expect("a list").iter().find(of);
    assert_eq!(found.expect("the edge")["policy"]["timeout_ms"], 4321);
    (knobs, policies)
}

fn ids(faults: &Value) -> Vec<Value> {
    let faults = faults.as_array().expect("a list").iter();
    faults.map(|fault| fault["id"].clone()).collect()
}

async fn happened(sandbox: &Sandbox) -> String {
    let told = sandbox.internal(&sandbox.admin, "/system/timeline").await;
    let texts = told.as_array().expect("a list").iter();
    texts.map(|event| format!("{}\n", event["text"])).collect()
}

#[test]
fn a_target_that_does_not_answer_or_cannot_be_used_is_told() {
    let (_guard, dir) = temporary();
    write(&dir, &small(VARIANTS));
    // Nobody listens, and somebody who never answers.
    let nobody = "http://127.0.0.1:1".to_owned();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mute = format!("http://{}", silent.local_addr().expect("bound"));
    for (url, words) in [
        (nobody.as_str(), "Connection refused"),
        (mute.as_str(), "did not answer within 2.5s"),
        ("localhost", "is no URL"),
    ] {
        let said = refused(&dir, &["lab", "run", "small.toml", "--target", url]);
        assert!(
            said.contains(words) && said.contains("--target takes"),
            "{said}"
        );
    }
    let own = format!("{VARIANTS}topology = 'strict'\n");
    let twin = "[twins]\nkills = 1\n[[variant]]\nname = 'a'\ntwin = 'outbox'\n";
    for (text, words) in [
        (small(&own), "need systems of their own"),
        (
            small(VARIANTS).replace("blocks", "fresh = true\nblocks"),
            "needs a system of its own",
        ),
        (small(twin), "kills twins"),
    ] {
        write(&dir, &text);
        let said = refused(&dir, &["lab", "run", "small.toml", "--target", &nobody]);
        assert!(
            said.contains(words) && said.contains("without --target"),
            "{said}"
        );
    }
    assert!(shelf_is_empty(&dir));
}

fn shelf_is_empty(dir: &Path) -> bool {
    let shelf = std::fs::read_dir(dir.join(".tradewind/lab"));
    shelf.map_or(0, Iterator::count) == 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_with_keys_is_used_with_one_alone() {
    let mut key = String::new();
    let prepare = |data: &Path| {
        let file = KeyFile::at(data.join("keys.toml"));
        key = file
            .create(&web::NewKey::of("ci"), &Ctx::system())
            .expect("a key");
    };
    let sandbox = Sandbox::start_with(Topology::Direct, Store::Sqlite, prepare).await;
    let sandbox = sandbox.expect("SQLite needs no server");
    let url = sandbox.admin_url();
    let (_guard, dir) = temporary();
    // The load needs it too: only known callers may make links.
    let create = "[[load.request]]\nname = 'create'\nmethod = 'POST'\npath = '/api/links'\n\
                  body = '{\"url\": \"https://example.com/{n}\"}'\n";
    write(&dir, &small(&format!("{VARIANTS}{create}")));
    let target = ["lab", "run", "small.toml", "--target", url.as_str()];
    let said_without = refused(&dir, &target);
    assert!(
        said_without.contains("--key KEY, or TRADEWIND_KEY"),
        "{said_without}"
    );
    let wrong = [&target[..], &["--key", "twk_wrong"]].concat();
    let said_wrong = refused(&dir, &wrong);
    assert!(said_wrong.contains("not known"), "{said_wrong}");
    let output = output(&dir, &["--target", &url, "--key", &key]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let runs = kept(&dir);
    for trial in &runs[0].trials {
        assert!(
            trial.values["create_good_per_s"] > 0.0,
            "{:?}",
            trial.values
        );
        assert!(
            trial.values["create_error_percent"] < 50.0,
            "{:?}",
            trial.values
        );
    }
    let text = serde_json::to_string(&runs).expect("JSON");
    assert!(!text.contains(&key), "the key is kept nowhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_target_is_not_is_noted() {
    let sandbox = Sandbox::start(Topology::Direct, Store::Sqlite).await;
    let sandbox = sandbox.expect("SQLite needs no server");
    let (_guard, dir) = temporary();
    let system = "[system]\ntopology = 'apart'\nconfig = { 'links.cache_seconds' = 1 }\n";
    let text = small(&format!("{system}{VARIANTS}"));
    let run = run(&dir, &text, &["--target", &sandbox.admin_url()]);
    let notes = run.notes.join("\n");
    assert!(
        notes.contains("asks for a system apart, the target is together"),
        "{notes}"
    );
    assert!(notes.contains("links.cache_seconds"), "{notes}");
    assert_eq!(run.systems[0].topology, "together");
}
