//! Server-sent events: a bounded queue per client, a heartbeat, no mercy for slow readers, and a
//! goodbye that brings the client back at once when the process leaves.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::{Body as HttpBody, Frame};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::{Body, BoxError, Leaving, Response};

/// How many events may wait for one client.
const QUEUE_EVENTS_MAX: usize = 64;

/// The last words of a stream. An `EventSource` waits some seconds unless it is told otherwise; what
/// it finds a moment later is another replica, or this one started again.
pub(crate) const GOODBYE: &[u8] = b"retry: 250\nevent: leaving\ndata:\n\n";
/// What is sent when there is nothing to send.
pub(crate) const BEAT: &[u8] = b": beat\n\n";

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

/// Opens a stream that sends a comment every `heartbeat`, so that dead clients are noticed. When
/// told to leave it sends what waits, says `leaving`, and ends.
#[must_use]
pub fn sse(heartbeat: Duration, leaving: &Leaving) -> Sse {
    let (sender, queue) = mpsc::channel(QUEUE_EVENTS_MAX);
    let events = Events {
        queue,
        beat: beat(heartbeat),
        told: Some(Box::pin(leaving.clone().into_told())),
    };
    Sse {
        sender: SseSender(sender),
        response: event_stream(Body::stream(events)),
    }
}

/// Ticks at once and then every `heartbeat`.
pub(crate) fn beat(heartbeat: Duration) -> Interval {
    let mut beat = tokio::time::interval(heartbeat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

/// The answer that carries a stream of events.
pub(crate) fn event_stream(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
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

    /// Resolves when the client is gone, or was told that we leave.
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
    /// Nothing once the goodbye has been said.
    told: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(told) = &mut this.told else {
            return Poll::Ready(None);
        };
        // Asked first, so that it wakes us; what was sent before it was said is sent before the end.
        let told = told.as_mut().poll(cx).is_ready();
        if told {
            this.queue.close();
        }
        match this.queue.poll_recv(cx) {
            Poll::Ready(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Poll::Ready(None) if !told => return Poll::Ready(None),
            _ if told => {
                this.told = None;
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(GOODBYE)))));
            }
            _ => {}
        }
        this.beat
            .poll_tick(cx)
            .map(|_| Some(Ok(Frame::data(Bytes::from_static(BEAT)))))
    }
}
