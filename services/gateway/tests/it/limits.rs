//! Clients that are slow, large or silent.

use std::time::Duration;

use http::{Method, StatusCode};
use testkit::eventually;
use web::ServerLimits;

use crate::world::{Setup, World};

/// The usual limits, which are generous, but for those that `tighten` sets: so that a busy machine
/// runs into no other one than the test is about.
fn limits(tighten: impl FnOnce(&mut ServerLimits)) -> Setup {
    let mut setup = Setup::default();
    tighten(&mut setup.config.limits);
    setup
}

#[tokio::test]
async fn half_a_head_is_hung_up_on() {
    let world = World::start(1, limits(|l| l.header_timeout_ms = 100)).await;
    for start in ["P", "GET /x HT", "GET /x HTTP/1.1\r\nhost: a\r\nx-slow: "] {
        let mut raw = world.connect().await;
        raw.say(start).await;
        assert_eq!(raw.hear_all().await, "", "{start:?}");
    }
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn a_head_that_drips_is_hung_up_on() {
    let world = World::start(1, limits(|l| l.header_timeout_ms = 100)).await;
    let mut raw = world.connect().await;
    raw.say("GET /x HTTP/1.1\r\nhost: a\r\n").await;
    let stream = &mut raw.0;
    let dripping = async {
        // A byte now and then must not keep the connection: the head has one time limit.
        while tokio::io::AsyncWriteExt::write_all(stream, b"x")
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), dripping)
        .await
        .expect("hung up on");
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let setup = limits(|l| (l.header_timeout_ms, l.idle_timeout_ms) = (2_000, 200));
    let world = World::start(1, setup).await;
    let mut fresh = world.connect().await;
    assert_eq!(fresh.hear_all().await, "");
    let mut used = world.connect().await;
    used.say("GET /x HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(
        used.hear_all().await.starts_with("HTTP/1.1 200"),
        "answered, and closed when idle"
    );
}

#[tokio::test]
async fn a_body_that_stops_coming_is_a_408() {
    let world = World::start(1, limits(|l| l.body_timeout_ms = 100)).await;
    let mut raw = world.connect().await;
    raw.say("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf")
        .await;
    let answer = raw.hear_all().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_413_with_and_without_a_length() {
    let world = World::start(1, limits(|l| l.body_bytes_max = 1_000)).await;
    let told = world
        .client
        .send(Method::POST, "/x", &[], vec![b'x'; 1_001])
        .await
        .unwrap();
    assert_eq!(told.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(told.json()["code"], "too_large");
    assert_eq!(world.requests(), 0, "refused before anybody was asked");

    let mut raw = world.connect().await;
    raw.say("POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    raw.say(&format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1_001)))
        .await;
    let answer = raw.hear_all().await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let fits = world
        .client
        .send(Method::POST, "/x", &[], vec![b'x'; 1_000])
        .await
        .unwrap();
    assert_eq!(fits.status, StatusCode::OK);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_431() {
    let setup = limits(|l| (l.header_bytes_max, l.headers_max) = (4_096, 20));
    let world = World::start(1, setup).await;
    let many: String = (0..30).map(|n| format!("x-{n}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "y".repeat(5_000));
    for extra in [many, large] {
        let mut raw = world.connect().await;
        raw.say(&format!("GET /x HTTP/1.1\r\nhost: a\r\n{extra}\r\n"))
            .await;
        let answer = raw.hear_all().await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let mut setup = limits(|l| l.connections_max = 1);
    setup.config.workers = 1;
    let world = World::start(1, setup).await;
    let mut first = world.connect().await;
    first.say("GET /x HTTP/1.1\r\nhost: a\r\n\r\n").await;
    first.hear_until("}").await;
    let mut second = world.connect().await;
    second.say("GET /y HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(100), second.hear_until("}")).await;
    assert!(early.is_err(), "there was only room for one");
    drop(first);
    let mut answer = String::new();
    let listen = async { answer = second.hear_until("}").await };
    listen.await;
    assert!(answer.contains("200 OK"), "{answer}");
    eventually("both were served", Duration::from_secs(30), || async {
        world.requests() == 2
    })
    .await;
}
