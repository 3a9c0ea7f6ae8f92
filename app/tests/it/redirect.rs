//! A link is made, followed, switched off, and ended.

use http::Method;
use serde_json::json;

use crate::{Sandbox, story};

story!(a_link_leads_where_it_was_told_until_it_is_switched_off);

async fn a_link_leads_where_it_was_told_until_it_is_switched_off(sandbox: Sandbox) {
    let link = sandbox
        .create(&json!({ "url": "https://www.rust-lang.org/learn" }))
        .await;
    let code = link["code"].as_str().expect("a code");
    let base = sandbox.client.base();
    assert_eq!(link["short_url"], format!("{base}/{code}"));
    let visit = sandbox.visit(code).await;
    assert_eq!(
        (visit.status.as_u16(), visit.header("location")),
        (302, "https://www.rust-lang.org/learn")
    );
    assert!(
        visit.header("cache-control").contains("max-age=0"),
        "edits must be seen"
    );
    assert!(!visit.header("x-request-id").is_empty());
    let own = json!({ "url": "https://example.com/a?b=c", "code": "my-code" });
    assert_eq!(sandbox.create(&own).await["code"], "my-code");
    let visit = sandbox.visit("my-code").await;
    assert_eq!(visit.header("location"), "https://example.com/a?b=c");
    let root = sandbox.client.get("/").await.expect("answers");
    assert_eq!(
        (root.status.as_u16(), root.header("location")),
        (302, "/console/")
    );
    assert_eq!(
        sandbox
            .client
            .get("/console/")
            .await
            .expect("answers")
            .status,
        200
    );
    let off = json!({ "enabled": false });
    let id = format!("/api/links/{code}");
    let patched = sandbox
        .client
        .json(Method::PATCH, &id, &off)
        .await
        .expect("answers");
    assert_eq!(patched.status, 200, "{}", patched.text());
    crate::sandbox::soon("it is switched off", || async {
        sandbox.visit(code).await.status != 302
    })
    .await;
    assert_eq!(sandbox.visit("no-such-code").await.status, 404);
    let wrong = json!({ "url": "javascript:alert(1)" });
    let refused = sandbox
        .client
        .json(Method::POST, "/api/links", &wrong)
        .await
        .expect("answers");
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(refused.header("content-type"), "application/problem+json");
}
