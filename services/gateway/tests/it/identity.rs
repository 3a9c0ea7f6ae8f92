//! Who asks, from where, under which id: what clients say of themselves reaches nobody.

use kernel::{SeededRandom, SystemClock};
use web::Keys;

use crate::world::{Setup, World};

fn keyed(cluster: Option<&'static str>) -> (String, Setup) {
    let (plain, stored) =
        Keys::generate(&web::NewKey::of("ci"), &SystemClock, &SeededRandom::new(1)).unwrap();
    let keys = Keys::of(&[stored]).unwrap();
    (
        plain,
        Setup {
            keys,
            cluster,
            ..Setup::default()
        },
    )
}

#[tokio::test]
async fn spoofed_identity_headers_are_stripped() {
    let (_, setup) = keyed(Some("the-secret"));
    let world = World::start(1, setup).await;
    let got = world
        .echoed(&[
            ("x-tradewind-cluster", "a-guess"),
            ("x-tradewind-caller", "internal"),
            ("x-tradewind-client", "6.6.6.6"),
            ("x-tradewind-anything", "1"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
        ])
        .await;
    assert_eq!(got["x-tradewind-caller"], "anonymous");
    assert_eq!(got["x-tradewind-client"], "127.0.0.1");
    assert_eq!(got["x-forwarded-for"], "127.0.0.1");
    assert_eq!(got["x-forwarded-proto"], "http");
    assert_eq!(
        got["x-tradewind-cluster"], "the-secret",
        "the gateway's own"
    );
    for gone in ["x-tradewind-anything", "x-real-ip", "forwarded"] {
        assert!(got.get(gone).is_none(), "{gone} went through");
    }
    assert!(!got.to_string().contains("6.6.6.6"), "{got}");
}

#[tokio::test]
async fn the_cluster_secret_is_believed() {
    let (_, setup) = keyed(Some("the-secret"));
    let world = World::start(1, setup).await;
    let said = [
        ("x-tradewind-cluster", "the-secret"),
        ("x-tradewind-caller", "key:ops"),
        ("x-tradewind-client", "203.0.113.9"),
    ];
    let got = world.echoed(&said).await;
    assert_eq!(got["x-tradewind-caller"], "key:ops");
    assert_eq!(got["x-tradewind-client"], "203.0.113.9");
}

#[tokio::test]
async fn a_key_names_its_owner_and_goes_no_further() {
    let (plain, setup) = keyed(Some("the-secret"));
    let world = World::start(1, setup).await;
    let got = world
        .echoed(&[("authorization", &format!("Bearer {plain}"))])
        .await;
    assert_eq!(got["x-tradewind-caller"], "key:ci");
    assert!(got.get("authorization").is_none());

    let refused = world
        .get_with("/echo", &[("authorization", "Bearer twk_unknown")])
        .await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["code"], "unauthenticated");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_foreign_page_cannot_use_the_open_door() {
    let world = World::start(
        1,
        Setup {
            cluster: Some("s"),
            ..Setup::default()
        },
    )
    .await;
    let who =
        async |headers: &[(&str, &str)]| world.echoed(headers).await["x-tradewind-caller"].clone();
    assert_eq!(who(&[]).await, "local");
    assert_eq!(who(&[("origin", "http://localhost:8080")]).await, "local");
    assert_eq!(
        who(&[("origin", "https://evil.example")]).await,
        "anonymous"
    );
    assert_eq!(who(&[("sec-fetch-site", "cross-site")]).await, "anonymous");
    let rebound = [("sec-fetch-site", "same-origin"), ("host", "evil.example")];
    assert_eq!(who(&rebound).await, "anonymous", "a rebound name");
}

#[tokio::test]
async fn request_ids_are_kept_when_sane_and_always_answered() {
    let world = World::with_replicas(1).await;
    let reply = world
        .get_with("/echo", &[("x-request-id", "abc-1.2_3")])
        .await;
    assert_eq!(reply.header("x-request-id"), "abc-1.2_3");
    assert_eq!(reply.json()["headers"]["x-request-id"], "abc-1.2_3");
    let long = "x".repeat(65);
    for bad in ["a b", "a\"b", long.as_str()] {
        let reply = world.get_with("/echo", &[("x-request-id", bad)]).await;
        assert_eq!(reply.header("x-request-id").len(), 32, "{bad}");
        assert_eq!(
            reply.json()["headers"]["x-request-id"],
            reply.header("x-request-id")
        );
    }
    let other = world.get("/echo").await;
    assert_ne!(
        other.header("x-request-id"),
        world.get("/echo").await.header("x-request-id")
    );
}

#[tokio::test]
async fn the_trace_of_the_client_is_continued() {
    let world = World::with_replicas(1).await;
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let got = world
        .echoed(&[("traceparent", sent), ("tracestate", "a=b")])
        .await;
    let passed = got["traceparent"].as_str().unwrap();
    assert!(
        passed.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{passed}"
    );
    assert!(
        passed.ends_with("-01"),
        "the decision to sample stays: {passed}"
    );
    assert!(
        !passed.contains("b7ad6b7169203331"),
        "a span of its own: {passed}"
    );
    assert_eq!(got["tracestate"], "a=b");
}

#[tokio::test]
async fn routing_is_explained_to_those_who_are_known() {
    let (plain, setup) = keyed(None);
    let world = World::start(2, setup).await;
    let bearer = format!("Bearer {plain}");
    let reply = world
        .get_with(
            "/x",
            &[("x-tradewind-explain", "1"), ("authorization", &bearer)],
        )
        .await;
    let why: serde_json::Value = serde_json::from_str(reply.header("x-tradewind-explain")).unwrap();
    assert_eq!(why["service"], "demo");
    assert_eq!(why["balancing"]["algorithm"], "p2c_ewma");
    assert_eq!(why["balancing"]["endpoints"].as_array().unwrap().len(), 2);
    assert_eq!(why["tried"][0], reply.json()["replica"]);

    let nobody = world.get_with("/x", &[("x-tradewind-explain", "1")]).await;
    assert_eq!(nobody.header("x-tradewind-explain"), "");
    assert_eq!(
        nobody.header("x-tradewind-secret-thing"),
        "",
        "internal headers stay inside"
    );
}
