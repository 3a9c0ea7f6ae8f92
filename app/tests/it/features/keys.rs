//! Requests that are sent again under their idempotency key.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use testkit::Reply;

use super::{Api, is_problem, path_of, unique};

async fn send(api: &Api, key: &str, (method, path, body): (Method, &str, &Value)) -> Reply {
    let headers = [
        ("idempotency-key", key),
        ("content-type", "application/json"),
    ];
    api.send(method, path, &headers, &body.to_string()).await
}

pub(crate) async fn a_key_makes_one_link_however_often_it_is_sent_at_once(api: &Api) {
    let key = unique();
    let body = json!({"url": "https://example.com/once"});
    let post = |body| send(api, &key, (Method::POST, "/api/links", body));
    let replies = join_all((0..8).map(|_| post(&body))).await;
    let first = replies[0].json();
    for reply in &replies {
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.json(), first, "the same link for the same key");
    }
    let replayed = |r: &&Reply| r.header("idempotency-replayed") == "true";
    assert_eq!(replies.iter().filter(replayed).count(), 7);
    let other = post(&json!({"url": "https://example.com/other"})).await;
    is_problem(&other, 422, "invalid");
}

pub(crate) async fn a_key_holds_for_every_kind_of_change(api: &Api) {
    let link = api.create(json!({"url": "https://example.com/v1"})).await;
    let (path, id, mark) = (path_of(&link), link["id"].clone(), unique());
    let upsert = |n: u8| json!({"url": format!("https://example.com/{n}"), "external_id": mark});
    let patch = |t: &str| json!({"links": [{"link": id, "changes": {"title": t}}]});
    let changes = [
        (
            Method::PATCH,
            path.as_str(),
            json!({"notes": "a"}),
            json!({"notes": "b"}),
        ),
        (Method::PUT, "/api/links/upsert", upsert(1), upsert(2)),
        (Method::PATCH, "/api/links/bulk", patch("a"), patch("b")),
        (
            Method::PUT,
            "/api/links/domains",
            json!({"host": format!("{mark}.example")}),
            json!({"host": "b.example"}),
        ),
        (
            Method::DELETE,
            "/api/links/bulk",
            json!({"links": [id]}),
            json!({"links": ["b"]}),
        ),
    ];
    for (method, path, body, other) in changes {
        let key = format!("{method} {path} {mark}");
        let first = send(api, &key, (method.clone(), path, &body)).await;
        assert!(first.status.is_success(), "{key}: {}", first.text());
        let again = send(api, &key, (method.clone(), path, &body)).await;
        assert_eq!(again.header("idempotency-replayed"), "true", "{key}");
        assert_eq!((again.status, again.json()), (first.status, first.json()));
        let other = send(api, &key, (method, path, &other)).await;
        is_problem(&other, 422, "invalid");
    }
    api.delete(&format!("/api/links/domains/{mark}.example"))
        .await;
    let link = api.create(json!({"url": "https://example.com/v2"})).await;
    let delete = async || send(api, &mark, (Method::DELETE, &path_of(&link), &json!({}))).await;
    let (gone, again) = (delete().await, delete().await);
    assert_eq!(
        (gone.status, again.status),
        (http::StatusCode::OK, http::StatusCode::OK)
    );
    assert_eq!(again.header("idempotency-replayed"), "true");
}
