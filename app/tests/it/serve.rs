//! One service per process without our supervisor, as an orchestrator runs them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use testkit::Client;

use crate::program::{Killed, command, refused, run, temporary};
use crate::sandbox::soon;

/// `tradewind serve` as a process.
struct Service {
    _process: Killed,
    ready: Value,
}

impl Service {
    fn start(dir: &Path, name: &str, env: &[(&str, &str)]) -> Self {
        Self::listening(dir, name, "127.0.0.1:0", env)
    }

    fn listening(dir: &Path, name: &str, at: &str, env: &[(&str, &str)]) -> Self {
        let mut child = command(dir)
            .args(["serve", name, "--listen", at, "--json"])
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
        Self {
            _process: Killed(child),
            ready,
        }
    }

    fn url(&self, name: &str) -> &str {
        self.ready[name].as_str().expect("a URL")
    }

    fn address(&self) -> &str {
        self.url("admin").trim_start_matches("http://")
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_listens_where_it_is_told() {
    let (_guard, dir) = temporary();
    let address = format!("127.0.0.1:{}", testkit::free_port());
    let links = Service::listening(&dir, "links", &address, &[]);
    let taken = run(&dir, &["serve", "links", "--listen", &address]);
    let said = String::from_utf8_lossy(&taken.stderr);
    assert!(!taken.status.success() && said.contains(&address), "{said}");
    drop(links);
    let again = Service::listening(&dir, "links", &address, &[]);
    assert_eq!(again.address(), address);
    let said = refused(&dir, &["serve", "links", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("TRADEWIND__CLUSTER__SECRET"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_is_a_process_of_its_own_that_sees_the_others() {
    let (_guard, dir) = temporary();
    let links = [
        Service::start(&dir, "links", &[]),
        Service::start(&dir, "links", &[]),
    ];
    let both = format!("['{}', '{}']", links[0].address(), links[1].address());
    let to_links = ("TRADEWIND__DISCOVERY__ADDRESSES__LINKS", both.as_str());
    let alone = Service::start(&dir, "gateway", &[to_links]);
    assert!(
        alone.ready["console"].is_null(),
        "nobody has told where it is"
    );
    let twin = Service::start(&dir, "gateway", &[to_links]);
    let front = format!("['{}', '{}']", alone.address(), twin.address());
    let to_gateway = ("TRADEWIND__DISCOVERY__ADDRESSES__GATEWAY", front.as_str());
    let console = Service::start(&dir, "console", &[to_links, to_gateway]);
    let page = format!("['{}']", console.address());
    let to_console = ("TRADEWIND__DISCOVERY__ADDRESSES__CONSOLE", page.as_str());
    let gateway = Service::start(&dir, "gateway", &[to_links, to_console]);

    assert_eq!(
        console.url("console"),
        format!("{}/console/", console.url("admin"))
    );
    for base in [console.url("admin"), gateway.url("gateway")] {
        let client = Client::new(base);
        soon("the page is there", || async {
            let page = client.get("/console/").await;
            page.is_ok_and(|page| page.text().contains("<html"))
        })
        .await;
    }
    let admin = Client::new(console.url("admin"));
    let status = admin.get("/system").await.expect("answers").json();
    assert_eq!(status["about"]["topology"], "apart");
    let up = |service: &str| {
        let replicas = status["replicas"].as_array().expect("a list");
        let of = replicas.iter().filter(|r| r["services"][0] == service);
        of.filter(|r| r["state"] == "up" && r["pid"].is_u64())
            .count()
    };
    assert_eq!(
        (up("links"), up("gateway"), up("console")),
        (2, 2, 1),
        "{status}"
    );
    turned_everywhere(&admin, ["links", "cache", "none"], &[&links[0], &links[1]]).await;
    turned_everywhere(&admin, ["gateway", "retries", "off"], &[&alone, &twin]).await;
    let [alive, killed] = links;
    let address = killed.address().to_owned();
    drop(killed);
    // Nobody is there, so nobody is waited for.
    turned_everywhere(&admin, ["links", "cache", "aside"], &[&alive]).await;
    let status = admin.get("/system").await.expect("answers").json();
    let gone = status["replicas"].as_array().expect("a list");
    let gone = gone
        .iter()
        .find(|r| r["id"] == *address)
        .expect("still listed");
    assert_eq!(gone["state"], "down", "{status}");
}

/// Turns a knob; these replicas, all that are there, have followed when the answer comes.
async fn turned_everywhere(admin: &Client, set: [&str; 3], replicas: &[&Service]) {
    let [service, name, value] = set;
    let knob = serde_json::json!({ "service": service, "name": name, "value": value });
    let turned = admin.json(http::Method::POST, "/system/knobs", &knob).await;
    let turned = turned.expect("answers");
    assert_eq!(turned.status, 200, "{}", turned.text());
    assert_eq!(turned.json()["mixed"], false, "{}", turned.text());
    for replica in replicas {
        let client = Client::new(replica.url("admin"));
        let knobs = client.get("/admin/knobs").await.expect("answers").json();
        let all = knobs.as_array().expect("a list");
        let follows = all.iter().any(|k| k["name"] == name && k["value"] == value);
        assert!(follows, "{service}.{name} is {value}: {knobs}");
    }
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
    let env = [("TRADEWIND__CLUSTER__SECRET", secret.as_str())];
    let links = Service::listening(&dir, "links", "0.0.0.0:0", &env);
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
