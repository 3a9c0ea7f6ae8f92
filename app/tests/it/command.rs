//! The command line as people and scripts use it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::program::{Program, answered, command, refused, run, temporary};

#[test]
fn the_version_is_told_to_people_and_to_programs() {
    let (_guard, dir) = temporary();
    let text = String::from_utf8(run(&dir, &["version"]).stdout).expect("text");
    assert_eq!(
        text.trim(),
        format!("tradewind {}", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(
        answered(&dir, &["version"])["version"],
        env!("CARGO_PKG_VERSION")
    );
}

#[test]
fn bad_input_is_one_line_that_says_what_to_do() {
    let (_guard, dir) = temporary();
    let said = refused(&dir, &["up", "--lisen", "127.0.0.1:0"]);
    assert!(
        said.contains("'--lisen'") && said.contains("--listen"),
        "{said}"
    );
    let said = refused(&dir, &["up", "--listen", "here"]);
    assert!(said.starts_with("tradewind: --listen: listen: "), "{said}");
    let said = refused(&dir, &["up", "--replicas", "links=3"]);
    assert!(said.contains("--apart"), "{said}");
    let said = refused(&dir, &["up", "--apart", "--replicas", "lniks=3"]);
    assert!(said.contains("links"), "{said}");
    let said = refused(&dir, &["up", "--store", "mysql://u:secret@h/d"]);
    assert!(
        said.contains("postgres://") && !said.contains("secret"),
        "{said}"
    );
    let said = refused(&dir, &["serve", "lniks"]);
    assert!(said.contains("links"), "{said}");
    let said = refused(&dir, &["status"]);
    assert!(
        said.contains("nothing runs on") && said.contains("tradewind up"),
        "{said}"
    );
    let said = refused(&dir, &["up", "--config", "missing.toml"]);
    assert!(said.contains("missing.toml"), "{said}");
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_place() {
    let (_guard, dir) = temporary();
    std::fs::write(
        dir.join("tradewind.toml"),
        "[store]\nurl = 'sqlite'\nconections_max = 3\n",
    )
    .expect("written");
    let said = refused(&dir, &["config", "check"]);
    assert_eq!(
        said.trim(),
        "tradewind: tradewind.toml:3:1: store.conections_max: there is no such key; \
         did you mean store.connections_max?"
    );
    std::fs::write(dir.join("good.toml"), "[log]\nlevel = 'info'\n").expect("written");
    assert_eq!(
        answered(&dir, &["config", "check", "good.toml"])["valid"],
        true
    );
}

#[test]
fn the_effective_configuration_is_shown_without_secrets() {
    let (_guard, dir) = temporary();
    let output = command(&dir)
        .args(["config", "show", "--json"])
        .env("TRADEWIND__STORE__URL", "postgres://tw:hunter2@db/tw")
        .env("TRADEWIND__CLUSTER__SECRET", "hunter2".repeat(8))
        .output()
        .expect("runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(
        !text.contains("hunter2") && text.contains("@db/tw"),
        "{text}"
    );
}

#[test]
fn only_loopback_is_bound_until_there_is_a_key() {
    let (_guard, dir) = temporary();
    let data = dir.join("data").display().to_string();
    let said = refused(&dir, &["up", "--listen", "0.0.0.0:0", "--data", &data]);
    assert!(
        said.contains(&format!("tradewind key create admin --data {data}")),
        "{said}"
    );
    answered(&dir, &["key", "create", "admin", "--data", &data]);
    let program = Program::up(&dir.join("data"), &["--listen=0.0.0.0:0".to_owned()], &[]);
    assert!(
        program.url("gateway").starts_with("http://127.0.0.1:"),
        "a URL that can be opened"
    );
}

#[test]
fn a_key_is_created_listed_and_revoked_and_is_nowhere_to_be_found() {
    let (_guard, dir) = temporary();
    let made = answered(&dir, &["key", "create", "ci"]);
    let key = made["key"].as_str().expect("the key");
    let file = dir.join(".tradewind/keys.toml");
    let kept = std::fs::read_to_string(&file).expect("the file of keys");
    assert!(!kept.contains(&key[4..]), "only its hash is kept");
    let mode = file.metadata().expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(answered(&dir, &["key", "list"])["keys"][0]["name"], "ci");
    let said = refused(&dir, &["key", "create", "ci"]);
    assert!(said.contains("already a key"), "{said}");
    let said = refused(&dir, &["key", "create", "a b"]);
    assert!(said.contains("a-z"), "{said}");
    assert_eq!(answered(&dir, &["key", "revoke", "ci"])["revoked"], "ci");
    let said = refused(&dir, &["key", "revoke", "ci"]);
    assert!(said.contains("there are no keys"), "{said}");
}

/// What `knob list` or `knob catalogue` says of each knob.
fn by_name(said: &Value) -> BTreeMap<String, Value> {
    let knobs = said["knobs"].as_array().expect("a list");
    let name = |part: &Value| part.as_str().expect("a name").to_owned();
    let full = |knob: &Value| name(&knob["service"]) + "." + &name(&knob["name"]);
    knobs
        .iter()
        .map(|knob| (full(knob), knob.clone()))
        .collect()
}

#[test]
fn a_running_system_is_found_by_its_data_directory() {
    let (_guard, dir) = temporary();
    let data = dir.join(".tradewind");
    std::fs::create_dir(&data).expect("made");
    let mut program = Program::up(&data, &[], &[]);
    let ready = program.ready();
    assert_eq!(ready["topology"], "together");
    for name in [
        "gateway", "console", "links", "metrics", "api", "openapi", "admin",
    ] {
        assert!(program.url(name).starts_with("http://127.0.0.1:"), "{name}");
    }
    let status = answered(&dir, &["status"]);
    assert_eq!(status["replicas"][0]["state"], "up");
    let knobs = answered(&dir, &["knob", "list"]);
    // Nothing was turned yet, so what runs says what is known without it; the stage does not run.
    let known = answered(&dir, &["knob", "catalogue"]);
    let mut without_stage = by_name(&known);
    without_stage.retain(|name, _| !name.starts_with("stage_"));
    assert_eq!(by_name(&knobs), without_stage);
    assert!(
        by_name(&known).contains_key("stage_back.admission"),
        "{known}"
    );
    for name in ["links.clicks", "links.commits", "gateway.retries"] {
        assert!(by_name(&known).contains_key(name), "{known}");
    }
    assert_eq!(
        answered(&dir, &["knob", "set", "links.clicks", "durable"])["value"],
        "durable"
    );
    assert_eq!(
        answered(&dir, &["knob", "get", "links.clicks"])["value"],
        "durable"
    );
    let said = refused(&dir, &["knob", "set", "links.clcks", "durable"]);
    assert!(said.contains("did you mean clicks"), "{said}");
    let said = refused(&dir, &["knob", "get", "links.clcks"]);
    assert!(said.contains("did you mean links.clicks?"), "{said}");
    let said = refused(&dir, &["up", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("already runs on"), "{said}");
    program.stop();
    assert!(
        !data.join("ready.json").exists(),
        "nobody finds what has gone"
    );
    refused(&dir, &["status"]);
}
