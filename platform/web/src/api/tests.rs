//! A small API that is completed and described.

use axum::routing::get;
use telemetry::Metrics;
use utoipa::OpenApi as _;

use super::*;
use crate::{Body, Request};

#[utoipa::path(get, path = "/things/{id}", params(("id" = String, Path)),
    responses((status = 200, body = String), (status = 404, body = kernel::Problem)))]
async fn one() -> &'static str {
    "one"
}

#[utoipa::path(post, path = "/things", security(()), responses((status = 201)))]
async fn create() -> StatusCode {
    StatusCode::CREATED
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(one, create))]
struct Document;

fn handler(metrics: &Metrics) -> Arc<dyn Handler> {
    let router = axum::Router::new()
        .route("/things", axum::routing::post(create))
        .route("/things/{id}", get(one));
    api(router, "things", (&Document::openapi(), metrics))
}

async fn ask(handler: &Arc<dyn Handler>, method: Method, path: &str) -> crate::Response {
    let request = http::Request::builder().method(method).uri(path);
    let request: Request = request.body(Body::Empty).unwrap();
    handler.call(request).await
}

#[tokio::test]
async fn what_the_router_does_not_know_is_a_problem() {
    let handler = handler(&Metrics::new());
    for (method, path, status) in [
        (Method::GET, "/elsewhere", 404),
        (Method::DELETE, "/things", 405),
        (Method::POST, "/things/7", 405),
    ] {
        let answer = ask(&handler, method, path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let refused = ask(&handler, Method::DELETE, "/things").await;
    assert_eq!(refused.headers()["allow"], "POST");
    let options = ask(&handler, Method::OPTIONS, "/things/7").await;
    assert_eq!(options.status(), 204);
    assert_eq!(options.headers()["allow"], "GET,HEAD");
}

#[tokio::test]
async fn each_operation_is_measured_by_itself() {
    let metrics = Metrics::new();
    let handler = handler(&metrics);
    for path in ["/things/7", "/things/8"] {
        assert_eq!(ask(&handler, Method::GET, path).await.status(), 200);
    }
    ask(&handler, Method::POST, "/things").await;
    let text = metrics.render();
    let line = |operation: &str, count: u32| {
        format!(
            "api_requests_total{{operation=\"{operation}\",service=\"things\",status=\"2xx\"}} {count}"
        )
    };
    assert!(text.contains(&line("GET /things/{id}", 2)), "{text}");
    assert!(text.contains(&line("POST /things", 1)), "{text}");
}

#[test]
fn the_document_says_what_all_operations_share() {
    let document = described(Document::openapi(), "things");
    let document = serde_json::to_value(document).unwrap();
    let one = &document["paths"]["/things/{id}"]["get"];
    assert_eq!(one["security"][0]["key"][0], "things:read");
    for status in ["401", "403", "404", "default"] {
        let content = &one["responses"][status]["content"];
        assert!(
            content["application/problem+json"].is_object(),
            "{status}: {one}"
        );
        assert!(content["application/json"].is_null(), "{status}");
    }
    assert!(one["responses"]["200"]["content"]["text/plain"].is_object());
    let create = &document["paths"]["/things"]["post"];
    assert_eq!(create["parameters"][0]["name"], IDEMPOTENCY_KEY);
    assert_eq!(
        create["security"][0],
        serde_json::json!({}),
        "it is open to everybody"
    );
    assert!(document["components"]["schemas"]["Problem"].is_object());
}
