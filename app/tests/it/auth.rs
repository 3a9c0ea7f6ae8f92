//! Who may change things, once there is a key.

use http::Method;
use kernel::Ctx;
use serde_json::json;
use testkit::Client;
use tradewind::keys::KeyFile;
use web::NewKey;

use crate::sandbox::soon;
use crate::{Sandbox, Store, Topology};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_needs_a_key_and_a_visit_does_not_direct() {
    story(Topology::Direct).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_needs_a_key_and_a_visit_does_not_strict() {
    story(Topology::Strict).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_needs_a_key_and_a_visit_does_not_apart() {
    story(Topology::Apart).await;
}

async fn story(topology: Topology) {
    let (mut key, mut reader) = (String::new(), String::new());
    let prepare = |data: &std::path::Path| {
        let file = KeyFile::at(data.join("keys.toml"));
        key = file
            .create(&NewKey::of("ci"), &Ctx::system())
            .expect("a key");
        let read = NewKey {
            scopes: Some("links:read"),
            ..NewKey::of("eye")
        };
        reader = file.create(&read, &Ctx::system()).expect("a key");
    };
    let sandbox = Sandbox::start_with(topology, Store::Sqlite, prepare).await;
    let sandbox = sandbox.expect("SQLite is always there");
    let bearer = format!("Bearer {key}");
    let body = json!({ "url": "https://example.com/", "code": "open" });
    let create = |headers: Vec<(&'static str, String)>| {
        let (client, body) = (sandbox.client.clone(), body.clone());
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            client
                .json_with(Method::POST, "/api/links", &headers, &body)
                .await
                .expect("answers")
        }
    };
    let anonymous = create(vec![]).await;
    assert_eq!(anonymous.status, 401, "{}", anonymous.text());
    assert!(
        anonymous.text().contains("tradewind key create"),
        "says what to do"
    );
    let forged = vec![
        ("x-tradewind-caller", "internal".to_owned()),
        ("x-tradewind-cluster", "guess".to_owned()),
    ];
    assert_eq!(create(forged).await.status, 401);
    assert_eq!(
        create(vec![("authorization", "Bearer twk_wrong".to_owned())])
            .await
            .status,
        401
    );
    let created = create(vec![("authorization", bearer.clone())]).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.json()["created_by"], "key:ci");
    assert_eq!(
        sandbox.visit("open").await.status,
        302,
        "a visit needs no key"
    );
    let reader = format!("Bearer {reader}");
    let refused = create(vec![("authorization", reader.clone())]).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(
        refused.text().contains("--scope links:write"),
        "says what to do"
    );
    a_reading_key_reads(&sandbox, &reader).await;
    administration_is_closed(&sandbox).await;
    KeyFile::at(sandbox.data().join("keys.toml"))
        .revoke("ci")
        .expect("revoked");
    soon("the revoked key is refused", || async {
        create(vec![("authorization", bearer.clone())]).await.status == 401
    })
    .await;
}

/// With `links:read` links are seen, and the system is not.
async fn a_reading_key_reads(sandbox: &Sandbox, bearer: &str) {
    let get = async |path: &str| {
        let headers = [("authorization", bearer)];
        let body = serde_json::Value::Null;
        let reply = sandbox.client.json_with(Method::GET, path, &headers, &body);
        reply.await.expect("answers").status
    };
    assert_eq!(get("/api/links/open").await, 200);
    assert_eq!(get("/api/links").await, 200);
    assert_eq!(get("/console/api/knobs").await, 403);
}

/// Neither the public listener nor a process without its secret lets strangers administer.
async fn administration_is_closed(sandbox: &Sandbox) {
    for path in [
        "/admin/knobs",
        "/system",
        "/metrics",
        "/rpc/links/list",
        "/registry",
    ] {
        let public = sandbox.client.get(path).await.expect("answers");
        assert_eq!(
            public.status,
            404,
            "{path} is not public: {}",
            public.text()
        );
    }
    for process in sandbox.links_processes().await.into_iter().map(Client::new) {
        for path in ["/admin/knobs", "/system", "/bus/deliver?consumer=x"] {
            let stranger = process.get(path).await.expect("answers");
            assert_eq!(stranger.status, 401, "{path}: {}", stranger.text());
        }
        assert_eq!(process.get("/readyz").await.expect("answers").status, 200);
    }
}
