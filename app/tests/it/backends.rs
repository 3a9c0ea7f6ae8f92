//! `--backends local`: private servers in the data directory, used and stopped with the system.

use std::os::unix::fs::PermissionsExt;

use testkit::{Client, find_program, skipped};

use crate::program::{Program, answered, temporary};

/// A server that finds its port taken the first time.
const UNLUCKY: &str = r#"#!/bin/sh
if mkdir "$0.tried" 2>/dev/null; then echo "bind: Address already in use" >&2; exit 1; fi
exec "REAL" "$@"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_server_that_loses_its_port_to_another_is_started_on_the_next() {
    let (_guard, dir) = temporary();
    let programs = dir.join("bin");
    std::fs::create_dir(&programs).expect("made");
    // Valkey is asked for first.
    for (name, real) in [
        ("valkey-server", "redis-server"),
        ("nats-server", "nats-server"),
    ] {
        let Some(real) = find_program(real) else {
            return skipped(real, &format!("install Debian's package {real}"));
        };
        let script = UNLUCKY.replace("REAL", &real.display().to_string());
        let file = programs.join(name);
        std::fs::write(&file, script).expect("written");
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&file, runs).expect("our own file");
    }
    if find_program("initdb").is_none() {
        return skipped("initdb", "install Debian's package postgresql");
    }
    let open = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(&dir, open).expect("our own directory");
    let data = dir.join(".tradewind");
    std::fs::create_dir(&data).expect("made");
    let path = std::env::var("PATH").unwrap_or_default();
    let env = [("PATH".to_owned(), format!("{}:{path}", programs.display()))];
    let args = ["--backends".to_owned(), "local".to_owned()];
    let mut program = Program::up(&data, &args, &env);
    let tried = |name: &str| programs.join(format!("{name}.tried")).exists();
    assert!(tried("valkey-server") && tried("nats-server"));
    let about = answered(&dir, &["status"])["about"].clone();
    assert_eq!(
        (&about["cache"], &about["bus"]),
        (&"Redis".into(), &"NATS".into())
    );
    program.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_servers_are_started_used_and_stopped() {
    for (program, package) in [
        ("initdb", "postgresql"),
        ("redis-server", "redis-server"),
        ("nats-server", "nats-server"),
    ] {
        if find_program(program).is_none() {
            return skipped(program, &format!("install Debian's package {package}"));
        }
    }
    let (_guard, dir) = temporary();
    // PostgreSQL runs as another user when we are root.
    let open = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(&dir, open).expect("our own directory");
    let data = dir.join(".tradewind");
    std::fs::create_dir(&data).expect("made");
    let args = ["--backends".to_owned(), "local".to_owned()];
    let mut program = Program::up(&data, &args, &[]);
    let about = answered(&dir, &["status"])["about"].clone();
    assert_eq!(
        (&about["store"], &about["cache"]),
        (&"PostgreSQL".into(), &"Redis".into())
    );
    assert_eq!(about["bus"], "NATS");
    let client = Client::new(program.url("gateway"));
    let link = serde_json::json!({ "url": "https://example.com/", "code": "pg" });
    let made = client
        .json(http::Method::POST, "/api/links", &link)
        .await
        .expect("answers");
    assert_eq!(made.status, 201, "{}", made.text());
    program.stop();
    assert!(
        !data.join("postgres/postmaster.pid").exists(),
        "PostgreSQL has ended well"
    );
    let mut program = Program::up(&data, &args, &[]);
    let client = Client::new(program.url("gateway"));
    assert_eq!(
        client.get("/pg").await.expect("answers").status,
        302,
        "data outlives the servers"
    );
    program.stop();
}
