//! The server on a real socket: defects, panics, drains.

use std::time::Duration;

use kernel::{SystemRandom, Tasks};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use web::{Body, Ingress, Keys, Response, Server, from_fn, serve};

#[tokio::test]
async fn a_handler_that_panics_is_a_500_and_the_connection_lives_on() {
    let handler = from_fn(|request| async move {
        assert_ne!(request.uri().path(), "/panic", "as the test wishes");
        Response::new(Body::from("fine"))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    let server = Server::new(handler, Ingress::new(Keys::none(), &SystemRandom));
    let serving = Tasks::new().spawn(serve(listener, server, tasks.clone()));

    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let first = heard(&mut stream, "}").await;
    assert!(
        first.starts_with("HTTP/1.1 500") && first.contains("x-request-id"),
        "{first}"
    );
    stream
        .write_all(b"GET /fine HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(heard(&mut stream, "fine").await.starts_with("HTTP/1.1 200"));

    tasks.shutdown().await;
    assert_eq!(serving.await.unwrap().cut, 0);
    assert_eq!(
        stream.read(&mut [0]).await.unwrap_or(0),
        0,
        "closed by the drain"
    );
}

async fn heard(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    let reading = async {
        while !text.contains(end) {
            let got = stream.read(&mut buffer).await.unwrap();
            assert!(got > 0, "closed after {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..got]));
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reading)
        .await
        .unwrap();
    text
}
