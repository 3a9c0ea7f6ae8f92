//! HTTP/1.1 and HTTP/2 on one port, keep-alive, and what is not spoken yet.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::world::World;

#[tokio::test]
async fn http2_is_spoken_on_the_same_port() {
    let world = World::with_replicas(1).await;
    let io = TokioIo::new(TcpStream::connect(world.addr).await.unwrap());
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    let tasks = kernel::Tasks::new();
    tasks.spawn(connection);
    let ask = |path: &str, body: &'static str| {
        let mut sender = sender.clone();
        let request = Request::post(format!("http://go.example{path}"))
            .body(Full::new(Bytes::from_static(body.as_bytes())))
            .unwrap();
        async move {
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            serde_json::from_slice::<serde_json::Value>(&body).unwrap()
        }
    };
    let (a, b) = tokio::join!(ask("/a", "one"), ask("/b?c=d", "two"));
    assert_eq!((&a["path"], &a["body"]), (&"/a".into(), &"one".into()));
    assert_eq!((&b["path"], &b["body"]), (&"/b?c=d".into(), &"two".into()));
    assert_eq!(a["headers"]["host"], "go.example");
    assert_eq!(a["headers"]["x-forwarded-host"], "go.example");
}

#[tokio::test]
async fn a_drain_says_goodbye_on_http2() {
    let world = World::with_replicas(1).await;
    let io = TokioIo::new(TcpStream::connect(world.addr).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    let connection = kernel::Tasks::new().spawn(connection);
    let request = Request::get("http://a/x")
        .body(Full::<Bytes>::default())
        .unwrap();
    assert_eq!(
        sender.send_request(request).await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(world.drain().await.cut, 0);
    connection.await.unwrap().expect("closed in order");
}

#[tokio::test]
async fn connections_to_clients_and_replicas_are_kept() {
    let world = World::with_replicas(1).await;
    let mut raw = world.connect().await;
    for n in 0..50 {
        raw.say(&format!("GET /{n} HTTP/1.1\r\nhost: a\r\n\r\n"))
            .await;
        let answer = raw.hear_until("}").await;
        assert!(answer.contains(&format!("\"path\":\"/{n}\"")), "{answer}");
    }
    // Several at once on one connection are answered in order.
    raw.say(&"GET /p HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3))
        .await;
    let mut heard = String::new();
    while heard.matches("\"path\":\"/p\"").count() < 3 {
        heard.push_str(&raw.hear_until("}").await);
    }
}

#[tokio::test]
async fn upgrades_are_refused_in_clear_words() {
    let world = World::with_replicas(1).await;
    let reply = world
        .get_with(
            "/ws",
            &[("connection", "Upgrade"), ("upgrade", "websocket")],
        )
        .await;
    assert_eq!(reply.status, StatusCode::NOT_IMPLEMENTED);
    assert!(
        reply.text().contains("server-sent events"),
        "{}",
        reply.text()
    );
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn head_has_a_length_and_no_body() {
    let world = World::with_replicas(1).await;
    let reply = world
        .client
        .send(http::Method::HEAD, "/x", &[], "")
        .await
        .unwrap();
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.body.is_empty() && reply.header("content-length") != "0");
}
