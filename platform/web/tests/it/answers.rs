//! Static files, event streams, problems.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http_body_util::BodyExt as _;
use kernel::{Code, Coded, Retry};
use web::{Assets, Body, Handler, Leave, Leaving, from_fn, problem, sse};

use crate::world::ask;

fn files() -> Arc<dyn Handler> {
    let assets = Arc::new(
        Assets::new()
            .with("/index.html", b"<p>hello")
            .with("/app.js", b"export {}"),
    );
    from_fn(move |request| {
        let assets = Arc::clone(&assets);
        async move { assets.answer(&request) }
    })
}

#[tokio::test]
async fn files_have_a_tag_a_type_and_a_strict_policy() {
    let files = files();
    let first = ask(&files, Method::GET, "/index.html", &[], "").await;
    assert_eq!(
        (first.status.as_u16(), &first.body[..]),
        (200, &b"<p>hello"[..])
    );
    assert_eq!(first.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(first.header("x-content-type-options"), "nosniff");
    let policy = first.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );

    let tag = first.header("etag").to_owned();
    for seen in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let again = ask(
            &files,
            Method::GET,
            "/index.html",
            &[("if-none-match", &seen)],
            "",
        )
        .await;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{seen}"
        );
    }
    let other = ask(
        &files,
        Method::GET,
        "/app.js",
        &[("if-none-match", &tag)],
        "",
    )
    .await;
    assert_eq!(other.status, 200);
    assert_eq!(
        ask(&files, Method::GET, "/nothing", &[], "").await.status,
        404
    );
    let post = ask(&files, Method::POST, "/app.js", &[], "").await;
    assert_eq!(
        (post.status.as_u16(), post.header("allow")),
        (405, "GET, HEAD")
    );
}

#[tokio::test]
async fn an_event_stream_beats_and_drops_slow_clients() {
    let stream = sse(Duration::from_secs(15), &Leaving::default());
    assert_eq!(
        stream.response.headers()["content-type"],
        "text/event-stream"
    );
    let mut body = stream.response.into_body();
    let beat = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(beat, ": beat\n\n");
    assert!(stream.sender.send("tick\n", Some("7"), "a\nb"));
    let event = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(
        event, "id: 7\nevent: tick\ndata: a\ndata: b\n\n",
        "no field can be broken out of"
    );

    let taken = (0..1_000)
        .take_while(|_| stream.sender.send("x", None, "y"))
        .count();
    assert!(
        (1..1_000).contains(&taken),
        "a client that reads nothing is given up: {taken}"
    );
    drop(body);
    stream.sender.closed().await;
}

#[tokio::test]
async fn an_event_stream_that_is_told_to_leave_sends_what_waits_and_says_come_back_at_once() {
    let leave = Leave::default();
    let stream = sse(Duration::from_secs(15), &leave.leaving());
    let mut body = stream.response.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(stream.sender.send("last", None, "word"));
    leave.tell();
    let mut rest = Vec::new();
    while let Some(frame) = body.frame().await {
        rest.push(frame.unwrap().into_data().unwrap());
    }
    assert_eq!(rest[0], "event: last\ndata: word\n\n");
    assert!(rest[1].starts_with(b"retry: "), "{:?}", rest[1]);
    assert_eq!(rest.len(), 2);
    stream.sender.closed().await;
    assert!(!stream.sender.send("too", None, "late"));
}

#[derive(Debug, thiserror::Error)]
#[error("too many at once")]
struct Busy;

impl Coded for Busy {
    fn code(&self) -> Code {
        Code::RateLimited
    }

    fn retry(&self) -> Retry {
        Retry::AfterMs(1_500)
    }
}

#[tokio::test]
async fn a_problem_says_when_to_come_back() {
    let handler = from_fn(|_| async { problem(&Busy).into_web() });
    let reply = ask(&handler, Method::GET, "/", &[], Body::Empty).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (429, "2")
    );
    let problem = reply.json();
    assert_eq!(
        (&problem["retryable"], &problem["retry_after"]),
        (&true.into(), &2.into())
    );
    assert_eq!(problem["type"], "/problems/rate_limited");
    assert_eq!(problem["detail"], "too many at once");
}
