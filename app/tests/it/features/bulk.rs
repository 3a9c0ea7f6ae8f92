//! Several links in one request.

use http::Method;
use serde_json::{Value, json};

use super::{Api, CHROME, is_problem, path_of, text};

pub(crate) async fn bulk_reports_each_item(api: &Api) {
    let body = json!({"links": [
        {"url": "https://example.com/bulk/1"},
        {"url": "javascript:alert(1)"},
        {"url": "https://example.com/bulk/3"},
    ]});
    let reply = api.post("/api/links/bulk", &body).await;
    assert!(reply.status.is_success(), "{}", reply.text());
    assert_eq!(outcome(&reply.json()), (2, 1, vec![201, 422, 201]));
    let many: Vec<_> = (0..101)
        .map(|i| json!({"url": format!("https://example.com/{i}")}))
        .collect();
    let reply = api.post("/api/links/bulk", &json!({ "links": many })).await;
    is_problem(&reply, 422, "invalid");
}

pub(crate) async fn bulk_changes_and_removes_what_it_can(api: &Api) {
    let one = api.create(json!({"url": "https://example.com/1"})).await;
    let two = api.create(json!({"url": "https://example.com/2"})).await;
    let (a, b) = (text(&one, "id"), text(&two, "code"));
    assert_eq!(api.visit_as(&one, CHROME).await.status, 302, "cached");
    let changes = json!({"url": "https://example.com/moved"});
    let patch = json!({"links": [
        {"link": a, "changes": changes}, {"link": "nothere", "changes": changes}, {"link": b, "changes": {"status": 200}},
    ]});
    let json = [("content-type", "application/json")];
    let bulk = async |method, body: Value| {
        let reply = api
            .send(method, "/api/links/bulk", &json, &body.to_string())
            .await;
        outcome(&reply.json())
    };
    assert_eq!(
        bulk(Method::PATCH, patch).await,
        (1, 2, vec![200, 404, 422])
    );
    api.visit_until(&one, |r| {
        r.header("location") == "https://example.com/moved"
    })
    .await;
    let remove = json!({"links": [a, b, a]});
    assert_eq!(
        bulk(Method::DELETE, remove).await,
        (2, 1, vec![200, 200, 404])
    );
    is_problem(&api.get(&path_of(&two)).await, 404, "not_found");
    api.visit_until(&one, |r| r.status == 404).await;
}

/// How many succeeded and failed, and the status of each item.
fn outcome(result: &Value) -> (u64, u64, Vec<u64>) {
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{result}"));
    let items = result["items"].as_array().expect("items");
    (
        number(&result["succeeded"]),
        number(&result["failed"]),
        items.iter().map(|item| number(&item["status"])).collect(),
    )
}
