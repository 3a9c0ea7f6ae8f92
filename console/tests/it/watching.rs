//! The live stream, and that nothing is collected while nobody watches.

use kernel::Principal;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use serde_json::Value;
use telemetry::EventKind;
use web::Body;

use crate::fake::Console;

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until `look` is true; fails when that takes too long.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The next event of a stream: its name and its data.
async fn next(body: &mut Body, rest: &mut String) -> (String, Value) {
    loop {
        if let Some(end) = rest.find("\n\n") {
            let block: String = rest.drain(..end + 2).collect();
            let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name));
            if let (Some(event), Some(data)) = (field("event: "), field("data: ")) {
                return (event.to_owned(), serde_json::from_str(data).expect("JSON"));
            }
            continue;
        }
        let frame = tokio::time::timeout(PATIENCE, body.frame())
            .await
            .expect("an event in time");
        let frame = frame.expect("the stream goes on").expect("no error");
        rest.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("text"));
    }
}

#[tokio::test]
async fn a_stream_tells_the_past_first_and_then_each_moment() {
    let console = Console::new();
    console.fake.telemetry[0]
        .timeline
        .record(EventKind::Start, "gateway starts", &[]);
    let request = http::Request::get("/console/api/stream");
    let response = console.send(Principal::LOCAL, request, "").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let mut rest = String::new();
    let (event, past) = next(&mut body, &mut rest).await;
    assert!(event == "past" && past["times"].is_array(), "{past}");
    let (event, now) = next(&mut body, &mut rest).await;
    assert_eq!(
        (&*event, &now["marks"][0]["text"]),
        ("now", &Value::from("gateway starts"))
    );
    let change = "links cache_policy: aside -> none";
    console.fake.telemetry[1]
        .timeline
        .record(EventKind::Knob, change, &[]);
    loop {
        let (_, now) = next(&mut body, &mut rest).await;
        let marks = now["marks"].as_array().expect("a list");
        assert!(
            marks.iter().all(|m| m["text"] == change),
            "a mark is told once: {marks:?}"
        );
        if !marks.is_empty() {
            break;
        }
    }
    console.tasks.shutdown().await;
}

#[tokio::test]
async fn collecting_ends_soon_after_the_last_watcher_left_and_begins_again() {
    let console = Console::new();
    assert_eq!(
        console.fake.polls.load(Ordering::SeqCst),
        0,
        "nothing is collected at rest"
    );
    let request = http::Request::get("/console/api/stream");
    let response = console.send(Principal::LOCAL, request, "").await;
    let polls = || console.fake.polls.load(Ordering::SeqCst);
    until("figures are collected", async || polls() > 6).await;
    drop(response);
    let mut before = 0;
    until("collecting has ended", async || {
        let now = polls();
        let rests = now == before;
        before = now;
        tokio::time::sleep(Duration::from_millis(400)).await;
        rests && polls() == now
    })
    .await;
    let (status, _) = console.get("/console/api/snapshot").await;
    assert!(
        status == 200 && polls() > before,
        "a question wakes it again"
    );
    console.tasks.shutdown().await;
}

#[tokio::test]
async fn a_drain_ends_the_streams() {
    let console = Console::new();
    let request = http::Request::get("/console/api/stream");
    let response = console.send(Principal::LOCAL, request, "").await;
    let mut body = response.into_body();
    next(&mut body, &mut String::new()).await;
    console.tasks.shutdown().await;
    let rest = tokio::time::timeout(PATIENCE, body.collect()).await;
    assert!(rest.is_ok_and(|r| r.is_ok()), "the stream ends by itself");
}
