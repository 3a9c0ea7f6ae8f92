//! The connections between the gateway and its replicas, through the proxies of `internal.proxied`.

use std::time::Duration;

use serde_json::json;
use testkit::{Client, TempDir};

use super::HOUR_MS;
use crate::program::Program;
use crate::sandbox::soon;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// After so long without an answer none is awaited: far longer than one takes.
const SILENCE: Duration = Duration::from_secs(2);

/// Where the others reach a process.
async fn place(admin: &Client, secret: &[(&str, &str)], name: &str) -> String {
    let status = admin.send(http::Method::GET, "/system", secret, "").await;
    let status = status.expect("an answer").json();
    let mut replicas = status["replicas"].as_array().expect("a list").iter();
    let named = replicas.find(|replica| replica["id"] == name);
    let address = named.expect("it runs")["address"].as_str();
    format!("http://{}", address.expect("it has registered"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_fault_strikes_one_replica_and_can_be_ended_through_its_black_hole() {
    let dir = TempDir::new().expect("a directory");
    let args = ["--apart", "--replicas", "links=2"].map(str::to_owned);
    let proxied = ("TRADEWIND__INTERNAL__PROXIED".to_owned(), "true".to_owned());
    let mut program = Program::up(dir.path(), &args, &[proxied]);
    let (admin, gateway) = (
        Client::new(program.url("admin")),
        Client::new(program.url("gateway")),
    );
    let secret = std::fs::read_to_string(dir.path().join("cluster.secret")).expect("the secret");
    let secret = [("x-tradewind-cluster", secret.as_str())];
    let (spared, struck) = (
        place(&admin, &secret, "links-1").await,
        place(&admin, &secret, "links-2").await,
    );
    // A new client each time: what it hears depends on no connection that was made before.
    let well_within = async |place: &str, limit: Duration| {
        let client = Client::new(place.to_owned());
        let asked = tokio::time::timeout(limit, client.get("/livez"));
        matches!(asked.await, Ok(Ok(reply)) if reply.status == 200)
    };
    let is_well = async |place: &str| well_within(place, PATIENCE).await;
    assert!(is_well(&struck).await);
    for effect in ["black_hole", "reset"] {
        let fault = json!({
            "seam": "socket", "effect": effect, "service": "links", "replica": "links-2",
            "ttl_ms": HOUR_MS,
        });
        let begun = admin
            .json_with(http::Method::POST, "/system/faults", &secret, &fault)
            .await;
        let begun = begun.expect("an answer");
        assert_eq!(begun.status, 201, "{}", begun.text());
        assert_eq!(begun.json()["replicas"], json!(["links-2"]));
        let hits = async || {
            let seen = admin
                .send(http::Method::GET, "/system/faults", &secret, "")
                .await;
            let seen = seen.expect("an answer").json();
            seen[0]["hits"].as_u64().unwrap_or(0)
        };
        soon("its connections are struck", async || hits().await > 0).await;
        let hears = well_within(&struck, SILENCE).await;
        assert!(!hears && is_well(&spared).await, "{effect}");
        let path = format!(
            "/system/faults/{}",
            begun.json()["id"].as_str().expect("an id")
        );
        let ended = admin
            .send(http::Method::DELETE, &path, &secret, "")
            .await
            .expect("an answer");
        assert_eq!(
            ended.json()["replicas"],
            json!(["links-2"]),
            "{}",
            ended.text()
        );
        soon("it is well again", || is_well(&struck)).await;
    }
    soon("the gateway finds it", async || {
        gateway
            .get("/api/links")
            .await
            .is_ok_and(|reply| reply.status == 200)
    })
    .await;
    program.stop();
}
