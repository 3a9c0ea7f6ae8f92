//! A request that is sent again takes effect once.

use http::Method;
use serde_json::json;

use crate::{Sandbox, story};

story!(a_key_makes_one_link_however_often_it_is_sent);

async fn a_key_makes_one_link_however_often_it_is_sent(sandbox: Sandbox) {
    let key = [("idempotency-key", "key-1")];
    let link = json!({ "url": "https://example.com/once", "tags": ["once"] });
    let send = |body: serde_json::Value| {
        let client = sandbox.client.clone();
        async move {
            client
                .json_with(Method::POST, "/api/links", &key, &body)
                .await
                .expect("answers")
        }
    };
    // At once, as after a timeout that was none.
    let both = tokio::join!(send(link.clone()), send(link.clone()), send(link.clone()));
    let mut codes = Vec::new();
    for reply in [both.0, both.1, both.2] {
        // A twin that is still at work may be told to come back.
        if reply.status == 201 {
            codes.push(reply.json()["code"].clone());
        } else {
            assert_eq!(reply.status, 409, "{}", reply.text());
        }
    }
    let again = send(link).await;
    assert_eq!(again.status, 201, "{}", again.text());
    codes.push(again.json()["code"].clone());
    codes.dedup();
    assert_eq!(codes.len(), 1, "{codes:?}");
    let list = sandbox
        .client
        .get("/api/links?tag=once")
        .await
        .expect("answers")
        .json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    let other = send(json!({ "url": "https://example.com/other" })).await;
    assert_eq!(
        other.status,
        422,
        "another body under the same key: {}",
        other.text()
    );
}
