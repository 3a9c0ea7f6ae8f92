//! Server-sent events: a bounded queue per client, a heartbeat, and no mercy for slow readers.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::{Body as HttpBody, Frame};
use tokio::sync::mpsc;
use tokio::time::Interval;

use crate::{Body, BoxError, Response};

/// How many events may wait for one client.
const QUEUE_EVENTS_MAX: usize = 64;

/// The sending side of one stream.
#[derive(Debug, Clone)]
pub struct SseSender(mpsc::Sender<Bytes>);

/// A new stream: the sender, and the answer that carries it.
pub struct Sse {
    /// Where events go in.
    pub sender: SseSender,
    /// The answer to give.
    pub response: Response,
}

/// Opens a stream that sends a comment every `heartbeat`, so that dead clients are noticed.
#[must_use]
pub fn sse(heartbeat: Duration) -> Sse {
    let (sender, queue) = mpsc::channel(QUEUE_EVENTS_MAX);
    let mut beat = tokio::time::interval(heartbeat);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut response = Response::new(Body::stream(Events { queue, beat }));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Sse {
        sender: SseSender(sender),
        response,
    }
}

impl SseSender {
    /// Sends an event. False when the client is gone or too slow; drop the sender then.
    #[must_use]
    pub fn send(&self, event: &str, id: Option<&str>, data: &str) -> bool {
        let mut text = String::with_capacity(data.len() + event.len() + 32);
        if let Some(id) = id {
            push_line(&mut text, "id", id);
        }
        push_line(&mut text, "event", event);
        for line in data.split('\n') {
            push_line(&mut text, "data", line);
        }
        text.push('\n');
        self.0.try_send(text.into()).is_ok()
    }

    /// Resolves when the client is gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

fn push_line(out: &mut String, field: &str, value: &str) {
    out.push_str(field);
    out.push_str(": ");
    out.extend(value.chars().filter(|c| !matches!(c, '\r' | '\n')));
    out.push('\n');
}

struct Events {
    queue: mpsc::Receiver<Bytes>,
    beat: Interval,
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.queue.poll_recv(cx) {
            Poll::Ready(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        self.beat
            .poll_tick(cx)
            .map(|_| Some(Ok(Frame::data(Bytes::from_static(b": beat\n\n")))))
    }
}
