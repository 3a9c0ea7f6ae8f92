//! What extractors accept, and how they refuse.

use kernel::Principal;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::Method;
use serde::Deserialize;
use web::{Admin, Handler, Json, Mutation, Paging, Path, Query, from_router};

use crate::world::{ask, ask_as};

#[derive(Deserialize)]
struct Order {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    count: u32,
}

#[derive(Deserialize)]
struct Filter {
    since: u32,
}

fn handler() -> Arc<dyn Handler> {
    let total = |Json(order): Json<Order>| async move {
        order.lines.iter().map(|l| l.count).sum::<u32>().to_string()
    };
    let keyed = |mutation: Mutation<Admin, Json<Order>>| async move {
        let key = mutation
            .key
            .map(|k| format!("{} {:02x?}", k.key, k.fingerprint));
        format!("{} {key:?}", mutation.caller.label())
    };
    let page = |page: Paging| async move { format!("{:?} {}", page.cursor, page.limit.get()) };
    from_router(
        Router::new()
            .route("/orders", post(total))
            .route("/keyed", post(keyed))
            .route("/page", get(page))
            .route(
                "/filter",
                get(|Query(f): Query<Filter>| async move { f.since.to_string() }),
            )
            .route(
                "/n/{n}",
                get(|Path(n): Path<u32>| async move { n.to_string() }),
            ),
    )
}

const JSON: (&str, &str) = ("content-type", "application/json");

async fn order(body: &'static str) -> (u16, serde_json::Value) {
    let reply = ask(&handler(), Method::POST, "/orders", &[JSON], body).await;
    (reply.status.as_u16(), reply.json())
}

#[tokio::test]
async fn a_wrong_field_is_named_by_its_json_pointer() {
    let (status, problem) = order(r#"{"lines":[{"count":1},{"count":"two"}]}"#).await;
    assert_eq!((status, &problem["code"]), (422, &"invalid".into()));
    assert_eq!(problem["errors"][0]["pointer"], "/lines/1/count");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("expected u32") && !detail.contains("line 1"),
        "{detail}"
    );
    let (status, problem) = order(r#"{"lines":[{}]}"#).await;
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &"/lines/0".into())
    );
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("missing field `count`")
    );
}

#[tokio::test]
async fn what_is_no_json_is_a_400_and_what_does_not_say_json_a_415() {
    assert_eq!(order("{").await.0, 400);
    assert_eq!(order(r#"{"lines":[]} more"#).await.0, 400);
    assert_eq!(
        order(r#"{"lines":[{"count":2},{"count":3}]}"#).await,
        (200, 5.into())
    );
    for headers in [&[][..], &[("content-type", "text/plain")]] {
        let reply = ask(
            &handler(),
            Method::POST,
            "/orders",
            headers,
            r#"{"lines":[]}"#,
        )
        .await;
        assert_eq!(reply.status, 415);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.json()["code"], "unsupported_media_type");
    }
    let vendor = [("content-type", "application/vnd.x+json; charset=utf-8")];
    assert_eq!(
        ask(
            &handler(),
            Method::POST,
            "/orders",
            &vendor,
            r#"{"lines":[]}"#
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn query_and_path_name_what_is_wrong() {
    let handler = handler();
    let get = async |path| ask(&handler, Method::GET, path, &[], "").await;
    let wrong = get("/filter?since=yesterday").await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.json()["errors"][0]["pointer"]),
        (422, &"since".into())
    );
    let missing = get("/filter").await;
    assert_eq!(missing.status, 422);
    assert!(
        missing.json()["detail"]
            .as_str()
            .unwrap()
            .contains("missing field `since`")
    );
    assert_eq!(get("/n/x").await.status, 404);
    assert_eq!(get("/n/7").await.body, "7");
}

#[tokio::test]
async fn pages_are_bounded() {
    let handler = handler();
    let page = async |path| ask(&handler, Method::GET, path, &[], "").await.body;
    assert_eq!(page("/page").await, "None 50");
    assert_eq!(
        page("/page?limit=100000&cursor=abc").await,
        r#"Some("abc") 200"#
    );
    assert_eq!(page("/page?limit=0&cursor=").await, "None 1");
    assert_eq!(
        ask(&handler, Method::GET, "/page?limit=-1", &[], "")
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn a_mutation_needs_somebody() {
    let reply = ask_as(
        Principal::ANONYMOUS,
        &handler(),
        Method::POST,
        "/keyed",
        &[JSON],
        "{}",
    )
    .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("www-authenticate")),
        (401, "Bearer")
    );
    assert!(
        reply.json()["detail"]
            .as_str()
            .unwrap()
            .contains("tradewind key create")
    );
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_request_of_one_caller() {
    let handler = handler();
    let send = async |caller, path, key: &str, body: &'static str| {
        let headers = [JSON, ("idempotency-key", key)];
        let reply = ask_as(caller, &handler, Method::POST, path, &headers, body).await;
        (reply.status.as_u16(), reply.body)
    };
    let body = r#"{"lines":[]}"#;
    let first = send(Principal::LOCAL, "/keyed", "k1", body).await;
    assert_eq!(first.0, 200);
    assert_eq!(first, send(Principal::LOCAL, "/keyed", "k1", body).await);
    for (caller, path, body) in [
        (Principal::LOCAL, "/keyed", r#"{"lines":[{"count":1}]}"#),
        (Principal::LOCAL, "/keyed?x", body),
        (
            Principal::key("ci", kernel::DEFAULT_TENANT, kernel::Scopes::ALL),
            "/keyed",
            body,
        ),
    ] {
        let print = |text: &[u8]| {
            String::from_utf8_lossy(text)
                .split('[')
                .nth(1)
                .map(str::to_owned)
        };
        let other = send(caller, path, "k1", body).await;
        assert_ne!(
            print(&other.1),
            print(&first.1),
            "another request, another fingerprint"
        );
    }
    let long = "x".repeat(256);
    for bad in ["", long.as_str(), "caf\u{e9}"] {
        assert_eq!(
            send(Principal::LOCAL, "/keyed", bad, body).await.0,
            400,
            "{bad:?}"
        );
    }
    let twice = [JSON, ("idempotency-key", "a"), ("idempotency-key", "b")];
    assert_eq!(
        ask(&handler, Method::POST, "/keyed", &twice, body)
            .await
            .status,
        400
    );
}
