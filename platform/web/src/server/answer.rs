//! One request of a connection: identity in, handler, then counting, logging and the last headers.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use hyper::body::{Body as _, Incoming};
use kernel::Code;
use telemetry::{Span, SpanKind, TraceContext};

use super::connection::Conn;
use super::guard::Guard;
use crate::ingress::{Seen, check_framing, headers};
use crate::{Body, BodyError, Meta, ProblemReply, Red, RequestId, Response};

static REQUEST_ID: HeaderName = HeaderName::from_static(headers::REQUEST_ID);

enum State {
    Done(Option<Response>),
    Running(BoxFuture<'static, Response>),
}

/// The answer in the making. Dropped early, it still counts as ended.
pub(super) struct Answer {
    state: State,
    conn: Arc<Conn>,
    arrived: Instant,
    request_id: RequestId,
    method: Method,
    uri: Uri,
    span: Option<Span>,
    /// What counts it; the server's own if absent.
    red: Option<Red>,
    /// No further request may be read from this connection.
    last: bool,
    /// Only there does a header end a connection.
    http1: bool,
}

impl Answer {
    pub(super) fn to(incoming: Request<Incoming>, conn: &Arc<Conn>) -> Self {
        conn.pulse.request_starts();
        let mut answer = Self {
            state: State::Done(None),
            conn: Arc::clone(conn),
            arrived: Instant::now(),
            request_id: RequestId::default(),
            method: incoming.method().clone(),
            uri: incoming.uri().clone(),
            span: None,
            red: None,
            last: false,
            http1: incoming.version() <= Version::HTTP_11,
        };
        answer.state = match answer.admit(incoming) {
            Ok((request, meta)) => {
                let handler = &conn.shared.server.handler;
                match catch_unwind(AssertUnwindSafe(|| handler.enter(request, meta))) {
                    Ok((red, running)) => {
                        answer.red = red;
                        State::Running(running)
                    }
                    Err(_) => State::Done(Some(defect())),
                }
            }
            Err(problem) => {
                // Its body, if any, is not read: what follows on the connection is unknown.
                answer.last = true;
                State::Done(Some(problem.into_web()))
            }
        };
        answer
    }

    /// The request as handlers see it, and what is known of it; or why it goes no further.
    fn admit(
        &mut self,
        mut incoming: Request<Incoming>,
    ) -> Result<(crate::Request, Meta), ProblemReply> {
        let server = &self.conn.shared.server;
        let seen = Seen::scan(incoming.headers());
        check_framing(&incoming, seen)?;
        let mut meta =
            server
                .ingress
                .admit_seen(self.conn.peer, &mut incoming, seen, self.arrived)?;
        self.request_id = meta.request_id.clone();
        // Both lengths may have been sent; hyper has then dropped one of them. Reading nothing
        // more from this connection leaves no room for a second request inside the first.
        self.last = incoming.version() == Version::HTTP_11
            && seen.has(Seen::TRANSFER_ENCODING)
            && !meta.from_cluster;
        self.trace(&mut meta, &incoming, seen);
        let limits = &self.conn.shared.server.limits;
        let (max, pause) = (limits.body_bytes_max, limits.body_timeout());
        if incoming.body().size_hint().lower() > max as u64 {
            return Err(BodyError::TooLarge { max }.into());
        }
        let request = incoming.map(|body| {
            if body.is_end_stream() {
                Body::Empty
            } else {
                Body::stream(Guard::new(body, max, pause))
            }
        });
        Ok((request, meta))
    }

    /// Continues the trace of the request, or begins one.
    fn trace(&mut self, meta: &mut Meta, incoming: &Request<Incoming>, seen: Seen) {
        let sent = if seen.has(Seen::TRACE) {
            incoming.headers().get(TraceContext::HEADER)
        } else {
            None
        };
        let parent = sent
            .and_then(|v| v.to_str().ok())
            .and_then(|t| TraceContext::parse(t).ok());
        if meta.from_cluster {
            // The span in which another process of ours asks: one for all replicas that it tries.
            meta.hop = parent.map_or(0, |p| p.span_id);
        }
        let Some((traces, service)) = &self.conn.shared.server.traces else {
            meta.trace = parent.unwrap_or(TraceContext::NONE);
            return;
        };
        let mut span = traces.span("http request", *service, parent, SpanKind::Server);
        meta.trace = span.context();
        if meta.trace.sampled {
            span.attr("http.request.method", incoming.method().as_str());
            span.attr("url.path", incoming.uri().path());
            span.attr("request.id", meta.request_id.to_string());
        }
        self.span = Some(span);
    }

    fn finish(&mut self, mut response: Response) -> Response {
        let server = &self.conn.shared.server;
        let took = self.arrived.elapsed();
        let status = response.status();
        self.red
            .as_ref()
            .unwrap_or(&server.red)
            .observe(status, took);
        if let Some(mut span) = self.span.take()
            && span.context().sampled
        {
            span.attr("http.response.status_code", status.as_str().to_owned());
            if status.is_server_error() {
                span.error(status.to_string());
            }
        }
        server
            .access_log
            .note(&self.method, &self.uri, status, took, &self.request_id);
        response
            .headers_mut()
            .insert(&REQUEST_ID, self.request_id.header_value());
        if self.last || (self.http1 && self.conn.shared.draining.load(Ordering::Relaxed)) {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl Future for Answer {
    type Output = Result<Response, std::convert::Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match &mut self.state {
            State::Done(response) => response.take().unwrap_or_else(defect),
            State::Running(running) => {
                match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(response)) => response,
                    Err(_) => defect(),
                }
            }
        };
        self.state = State::Done(None);
        Poll::Ready(Ok(self.finish(response)))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.conn.pulse.request_ends();
    }
}

/// The handler panicked; the panic itself is in the log.
fn defect() -> Response {
    ProblemReply::new(
        Code::Internal,
        "a defect of ours; tell us the x-request-id of this answer",
    )
    .into_web()
}
