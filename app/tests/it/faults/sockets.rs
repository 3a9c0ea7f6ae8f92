//! The connections between the gateway and its replicas, through the proxies of `internal.proxied`.

use serde_json::json;
use testkit::{Client, TempDir};

use super::HOUR_MS;
use crate::program::Program;
use crate::sandbox::soon;

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
    let all_well = async || {
        for _ in 0..10 {
            if gateway.get("/api/links").await.expect("an answer").status != 200 {
                return false;
            }
        }
        true
    };
    soon("all is well", all_well).await;
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
        soon("the gateway goes on with the other one", all_well).await;
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
        soon("all is well", all_well).await;
    }
    program.stop();
}
