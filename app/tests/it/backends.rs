//! `--backends local`: private servers in the data directory, used and stopped with the system.

use std::os::unix::fs::PermissionsExt;

use testkit::{Client, find_program, skipped};

use crate::program::{Program, answered, temporary};

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
