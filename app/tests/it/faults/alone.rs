//! `tradewind proxy` in front of a server that is none of ours.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::TempDir;

use crate::program::{Killed, answered, command, refused};

/// A proxy that stands alone, and what its ready line says.
fn proxy(dir: &TempDir, to: &str) -> (Killed, Value) {
    let args = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--to",
        to,
        "--name",
        "store",
        "--json",
    ];
    let child = command(dir.path())
        .args(args)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Killed(child.expect("it starts"));
    let mut line = String::new();
    let output = child.0.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let ready = serde_json::from_str(&line).expect("JSON");
    (child, ready)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_stands_in_front_of_postgresql_and_breaks_it() {
    let Some(server) = testkit::Postgres::shared().await else {
        return;
    };
    let dir = TempDir::new().expect("a directory");
    let url = server.url();
    let (before, after) = url.rsplit_once('@').expect("a user");
    let (place, database) = after.split_once('/').expect("a database");
    let (_proxy, ready) = proxy(&dir, place);
    let (listen, admin) = (ready["listen"].as_str(), ready["admin"].as_str());
    let (listen, admin) = (listen.expect("an address"), admin.expect("an address"));
    let through = format!("{before}@{listen}/{database}");
    let mut options = storage::DbOptions::new("through_a_proxy");
    // Long enough to connect on a busy machine; what is broken is found out only then.
    options.wait_max = Duration::from_secs(3);
    let db = storage::Db::open(&through, options).await.expect("a URL");
    let asks = async || {
        let asked = db.read(async |tx| tx.query_dyn("SELECT 1", &[]).await.map(drop));
        asked
            .await
            .map_err(|error: storage::Error| error.to_string())
    };
    asks().await.expect("it comes through");
    let fault = |more: &[&str]| {
        let add = ["fault", "add", "socket"];
        let args = [
            &add[..],
            more,
            &["--service", "store", "--ttl", "60s", "--url", admin],
        ];
        answered(dir.path(), &args.concat());
    };
    fault(&["latency", "--ms", "100"]);
    let start = Instant::now();
    asks().await.expect("late, but well");
    assert!(start.elapsed() >= Duration::from_millis(200), "both ways");
    fault(&["reset"]);
    asks().await.expect_err("broken");
    let list = answered(dir.path(), &["fault", "list", "--url", admin]);
    assert_eq!(list["faults"].as_array().map(Vec::len), Some(2), "{list}");
    answered(dir.path(), &["fault", "clear", "--url", admin]);
    asks().await.expect("well again");
}

#[test]
fn what_a_proxy_cannot_do_is_refused_in_words() {
    let dir = TempDir::new().expect("a directory");
    let no = |args: &[&str]| refused(dir.path(), args);
    let said = no(&["proxy", "--listen", "127.0.0.1:0", "--to", "postgres://x/y"]);
    assert!(said.contains("HOST:PORT"), "{said}");
    let open = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "127.0.0.1:1",
        "--admin",
        "0.0.0.0:0",
    ];
    assert!(no(&open).contains("on this machine"));
    let (_proxy, ready) = proxy(&dir, "127.0.0.1:1");
    let admin = ready["admin"].as_str().expect("an address");
    let add = [
        "fault", "add", "socket", "reset", "--ttl", "1m", "--url", admin,
    ];
    let added = answered(dir.path(), &[&add[..], &["--service", "store"]].concat());
    assert_eq!(added["replicas"], json!(["store"]));
    let said = no(&[&add[..], &["--service", "stor"]].concat());
    assert!(said.contains("did you mean store?"), "{said}");
    let said = no(&[
        "fault", "add", "request", "drop", "--ttl", "1m", "--url", admin,
    ]);
    assert!(said.contains("the seam 'socket' alone"), "{said}");
    let cleared = answered(dir.path(), &["fault", "clear", "--url", admin]);
    assert_eq!(cleared["ended"], json!([added["id"]]));
}
