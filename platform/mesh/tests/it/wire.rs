//! The HTTP form of a contract, as curl or another version would use it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use mesh::MeshError;
use mesh::pool::{Pool, PoolConfig};
use mesh::rpc::RpcServer;
use serde_json::{Value, json};

use crate::fixture::*;

async fn post(addr: SocketAddr, path: &str, body: &str) -> (StatusCode, String, Value) {
    let pool = Pool::new(PoolConfig::default());
    let request = Request::post(path)
        .header("host", "shop")
        .header("content-type", "application/json")
        .body(Full::from(body.to_owned()))
        .expect("a request");
    let response = pool.send(addr, request).await.expect("a response");
    let error = response
        .headers()
        .get("x-tradewind-error")
        .map(|v| v.to_str().expect("text").to_owned());
    let (status, body) = (response.status(), response.into_body().collect().await);
    let body = serde_json::from_slice(&body.expect("a body").to_bytes()).expect("JSON");
    (status, error.unwrap_or_default(), body)
}

#[tokio::test]
async fn a_contract_can_be_called_with_plain_json() {
    let world = World::new();
    let addr = world.serve(None).await;
    let (status, _, body) = post(addr, "/rpc/shop/look", r#"{"Item":"tea"}"#).await;
    assert_eq!((status, &body["item"]), (StatusCode::OK, &json!("tea")));
    let no = r#"{"Fail":{"NoSuchItem":{"item":"x"}}}"#;
    let (status, error, body) = post(addr, "/rpc/shop/look", no).await;
    assert_eq!(
        (status, &*error),
        (StatusCode::NOT_FOUND, "contract not_found never")
    );
    assert_eq!(body, json!({"NoSuchItem": {"item": "x"}}));
}

#[tokio::test]
async fn versions_may_differ_within_reason() {
    let world = World::new();
    let addr = world.serve(None).await;
    let newer = r#"{"item":[1],"gift_wrap":true}"#;
    let (status, ..) = post(addr, "/rpc/shop/buy", newer).await;
    assert_eq!(
        status,
        StatusCode::OK,
        "a field that the callee does not know is ignored"
    );
    let (status, error, body) = post(addr, "/rpc/shop/by", newer).await;
    assert_eq!(
        (status, &*error),
        (StatusCode::NOT_FOUND, "mesh not_found never")
    );
    let error: MeshError = serde_json::from_value(body).expect("an error of the mesh");
    assert_eq!(
        error.to_string(),
        "service 'shop' has no method 'by'; did you mean buy?"
    );
    let (status, _, body) = post(addr, "/rpc/shops/buy", newer).await;
    let error: MeshError = serde_json::from_value(body).expect("an error of the mesh");
    let said = (status.as_u16(), error.to_string());
    assert_eq!(
        said,
        (404, "no service 'shops' is here; here are shop".to_owned())
    );
    let (status, _, body) = post(addr, "/rpc/shop/buy", r#"{"thing":1}"#).await;
    let error: MeshError = serde_json::from_value(body).expect("an error of the mesh");
    assert_eq!(status, StatusCode::BAD_REQUEST, "no defect of the callee");
    assert!(
        error.to_string().contains("missing field `item`"),
        "{error}"
    );
}

#[tokio::test]
async fn only_the_cluster_may_call_when_there_is_a_secret() {
    let world = World::new();
    let secret: Arc<str> = "correct horse battery staple".into();
    let addr = world.serve(Some(secret.clone())).await;
    let target = || world.target(addr);
    let client = ShopClient(
        world
            .mesh
            .http("in", "shop", target().with_secret(Some(secret))),
    );
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect("one of us");
    for wrong in [None, Some("wrong".into())] {
        let client = ShopClient(world.mesh.http("out", "shop", target().with_secret(wrong)));
        let error = client
            .look(&world.cx(), item("tea"))
            .await
            .expect_err("a stranger");
        assert_eq!(
            error,
            ShopError::Mesh(MeshError::Refused {
                service: "shop".into()
            })
        );
    }
    assert_eq!(world.calls(), 1);
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_unread() {
    let world = World::new();
    let (ctx, telemetry) = (world.ctx.clone(), world.telemetry.clone());
    let server = RpcServer::new([world.dispatch()], None, ctx, telemetry);
    let body = Full::new(Bytes::from(vec![b' '; mesh::MESSAGE_BYTES_MAX + 1]));
    let request = Request::post("/rpc/shop/look")
        .body(body)
        .expect("a request");
    let response: Response<_> = server.call(request).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_body_is_read_as_json_whatever_it_says_that_it_is() {
    let world = World::new();
    let (ctx, telemetry) = (world.ctx.clone(), world.telemetry.clone());
    let server = RpcServer::new([world.dispatch()], None, ctx, telemetry);
    let ask = async |body: &'static [u8]| {
        let request = Request::post("/rpc/shop/look")
            .header("content-type", "application/x-postcard")
            .body(Full::new(Bytes::from_static(body)));
        server.call(request.expect("a request")).await
    };
    let answered = ask(br#"{"Item":"tea"}"#).await;
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!(answered.headers()["content-type"], "application/json");
    let refused = ask(b"\x00\x03tea").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let error = &refused.headers()["x-tradewind-error"];
    assert_eq!(error, "mesh bad_request never");
    assert_eq!(world.calls(), 1, "only what could be read");
}
