//! The document of the API, held against the API.

use http::Method;
use serde_json::json;

use super::{Api, text, unique};

pub(crate) async fn every_operation_of_the_document_is_answered(api: &Api) {
    let document = api.read("/api/openapi.json").await;
    assert!(text(&document, "openapi").starts_with("3.1"), "{document}");
    let host = format!("{}.example", unique());
    let put = api
        .put("/api/links/domains", &json!({ "host": host }))
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let link = api.create(json!({"url": "https://example.com/doc"})).await;
            let path = path
                .replace("{id}", text(&link, "id"))
                .replace("{host}", &host);
            assert!(!path.contains('{'), "fill in {path}");
            let method: Method = method.to_uppercase().parse().expect("a method");
            // A mutation without a body is refused by the resource, and not by the router.
            let reply = api.send(method.clone(), &path, &[], "").await;
            let status = reply.status.as_u16();
            assert!(
                matches!(status, 200..300 | 400 | 415 | 422),
                "{method} {path}: {status} {}",
                reply.text()
            );
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked} operations");
    let path = "/api/links/no/such/path";
    assert_eq!(api.get(path).await.status, 404, "what is no resource");
}
