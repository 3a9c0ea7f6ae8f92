//! Requests that two readers could read differently: no second request may come out of one.

use crate::world::World;

/// Sends `attack` on a connection of its own; answers what came back and what the replica saw.
async fn attacked(attack: &str) -> (String, Vec<String>) {
    let world = World::with_replicas(1).await;
    let mut raw = world.connect().await;
    raw.say(attack).await;
    let answer = raw.hear_all().await;
    let paths = world.replicas[0].paths();
    (answer, paths)
}

#[tokio::test]
async fn both_lengths_at_once_never_make_two_requests() {
    // CL.TE: by the length the smuggled request belongs to the body, by the chunks it does not.
    let cl_te = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 44\r\ntransfer-encoding: chunked\r\n\r\n\
                 0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    // TE.CL: the other way round.
    let te_cl = "POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n\
                 24\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n\r\n0\r\n\r\n";
    for attack in [cl_te, te_cl] {
        let (answer, paths) = attacked(attack).await;
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "one answer: {answer}"
        );
        assert!(!paths.contains(&"/smuggled".to_owned()), "{paths:?}");
        assert!(
            answer.contains("connection: close"),
            "nothing more is read: {answer}"
        );
    }
}

#[tokio::test]
async fn what_reaches_the_service_has_one_length() {
    let world = World::with_replicas(1).await;
    let mut raw = world.connect().await;
    raw.say(
        "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n\
         5\r\nhello\r\n0\r\n\r\n",
    )
    .await;
    let answer = raw.hear_all().await;
    assert!(answer.contains(r#""body":"hello""#), "{answer}");
    assert!(!answer.contains(r#""content-length":"3""#), "{answer}");
}

#[tokio::test]
async fn malformed_lengths_and_lines_are_refused() {
    let post = |lines: &str| format!("POST /a HTTP/1.1\r\nhost: a\r\n{lines}\r\n\r\nhello");
    for attack in [
        post("content-length: 5\r\ncontent-length: 6"),
        post("content-length: 5, 6"),
        post("content-length: +5"),
        post("content-length: 0x5"),
        post("content-length : 5"),
        post("transfer-encoding: chunked, gzip"),
        post("transfer-encoding: xchunked"),
        post("transfer-encoding: chunked\r\n , identity"),
        post("x: a\r\n folded"),
        "POST /a HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "GET /a HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".to_owned(),
        "GET /a HTTP/1.1\r\n\r\n".to_owned(),
        "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
    ] {
        let (answer, paths) = attacked(&attack).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{attack:?} got {answer}");
        assert!(paths.is_empty(), "{attack:?} went through as {paths:?}");
    }
}

#[tokio::test]
async fn an_absolute_uri_cannot_disagree_with_the_host() {
    let world = World::with_replicas(1).await;
    let mut raw = world.connect().await;
    raw.say(
        "GET http://real.example/p?q HTTP/1.1\r\nhost: fake.example\r\nconnection: close\r\n\r\n",
    )
    .await;
    let answer = raw.hear_all().await;
    assert!(answer.contains(r#""host":"real.example""#), "{answer}");
    assert!(
        answer.contains(r#""path":"/p?q""#) && !answer.contains("fake"),
        "{answer}"
    );
}

#[tokio::test]
async fn connection_cannot_take_out_what_others_rely_on() {
    let world = World::with_replicas(1).await;
    let named = "x-forwarded-for, x-tradewind-client, host, keep-alive, x-mine";
    let got = world
        .echoed(&[("connection", named), ("x-mine", "1")])
        .await;
    assert_eq!(got["x-forwarded-for"], "127.0.0.1");
    assert!(got.get("host").is_some());
    assert!(
        got.get("x-mine").is_none() && got.get("connection").is_none(),
        "{got}"
    );
}
