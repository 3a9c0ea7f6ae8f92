//! One service per process without our supervisor, as an orchestrator runs them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;
use testkit::Client;

use crate::program::{command, refused, temporary};
use crate::sandbox::soon;

/// `tradewind serve` as a process.
struct Service {
    child: Child,
    ready: Value,
}

impl Service {
    fn start(dir: &Path, name: &str, env: &[(&str, &str)]) -> Self {
        let mut child = command(dir)
            .args(["serve", name, "--listen", "127.0.0.1:0", "--json"])
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("standard output");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("it says where it is");
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Self { child, ready }
    }

    fn url(&self, name: &str) -> &str {
        self.ready[name].as_str().expect("a URL")
    }

    fn address(&self) -> &str {
        self.url("admin").trim_start_matches("http://")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_find_each_other_by_addresses_that_are_written_down() {
    let (_guard, dir) = temporary();
    let links = [
        Service::start(&dir, "links", &[]),
        Service::start(&dir, "links", &[]),
    ];
    let addresses = format!("['{}', '{}']", links[0].address(), links[1].address());
    let env = [("TRADEWIND__DISCOVERY__ADDRESSES__LINKS", addresses.as_str())];
    let gateway = Service::start(&dir, "gateway", &env);
    story(&gateway).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_find_each_other_by_name() {
    let (_guard, dir) = temporary();
    let links = Service::start(&dir, "links", &[]);
    let port = links.address().rsplit(':').next().expect("a port");
    let name = format!("localhost:{port}");
    let gateway = Service::start(
        &dir,
        "gateway",
        &[("TRADEWIND__DISCOVERY__DNS__LINKS", name.as_str())],
    );
    story(&gateway).await;
}

async fn story(gateway: &Service) {
    let client = Client::new(gateway.url("gateway"));
    let link = serde_json::json!({ "url": "https://example.com/", "code": "served" });
    soon("the gateway knows where links is", || async {
        let made = client.json(http::Method::POST, "/api/links", &link).await;
        made.is_ok_and(|reply| reply.status == 201)
    })
    .await;
    for _ in 0..10 {
        assert_eq!(client.get("/served").await.expect("answers").status, 302);
    }
    let document = client
        .get("/api/openapi.json")
        .await
        .expect("answers")
        .json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(
        document["paths"]["/api/links"].is_object(),
        "known without the service"
    );
    let upstreams = Client::new(gateway.url("admin"))
        .get("/admin/upstreams")
        .await;
    assert!(upstreams.expect("answers").text().contains("links"));
}

#[test]
fn an_internal_listener_for_other_machines_needs_a_secret() {
    let (_guard, dir) = temporary();
    std::fs::write(
        dir.join("tradewind.toml"),
        "[internal]\nlisten = '0.0.0.0:0'\n",
    )
    .expect("written");
    let said = refused(&dir, &["serve", "links"]);
    assert!(said.contains("TRADEWIND__CLUSTER__SECRET"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_secret_it_is_open_to_nobody_else() {
    let (_guard, dir) = temporary();
    let secret = "s".repeat(40);
    let env = [
        ("TRADEWIND__INTERNAL__LISTEN", "0.0.0.0:0"),
        ("TRADEWIND__CLUSTER__SECRET", secret.as_str()),
    ];
    let links = Service::start(&dir, "links", &env);
    let client = Client::new(links.url("admin"));
    assert_eq!(
        client.get("/admin/knobs").await.expect("answers").status,
        401
    );
    let member = [("x-tradewind-cluster", secret.as_str())];
    let known = client
        .send(http::Method::GET, "/admin/knobs", &member, "")
        .await;
    assert_eq!(known.expect("answers").status, 200);
    assert_eq!(client.get("/readyz").await.expect("answers").status, 200);
}
