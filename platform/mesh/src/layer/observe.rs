//! The outermost layer: a span, the metrics and the live rates of each call.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use telemetry::{Span, SpanKind, TraceContext};
use tower::Service;

use super::Inner;
use crate::edge::EdgeState;
use crate::{Call, Failure, Payload, Reply};

#[derive(Clone)]
pub(super) struct Observe<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
}

pub(super) struct Observed<F> {
    state: Arc<EdgeState>,
    started: Instant,
    span: Span,
    inner: F,
}

impl<S: Inner> Service<Call> for Observe<S> {
    type Response = Payload;
    type Error = Failure;
    type Future = Observed<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        let state = Arc::clone(&self.state);
        let parent = Some(call.cx.trace).filter(TraceContext::is_some);
        // The name is copied only where it may be kept.
        let service: Cow<'static, str> = match parent {
            Some(parent) if !parent.sampled => Cow::Borrowed(""),
            _ => Cow::Owned(state.caller.to_string()),
        };
        let mut span =
            state
                .telemetry
                .traces
                .span(call.method.span, service, parent, SpanKind::Client);
        if span.is_recording() {
            span.attr("peer.service", &state.callee);
            span.attr("mesh.binding", format_args!("{:?}", state.binding));
        }
        call.cx.trace = span.context();
        let started = Instant::now();
        Observed {
            inner: self.inner.call(call),
            state,
            started,
            span,
        }
    }
}

impl<F: Future<Output = Reply> + Unpin> Future for Observed<F> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let reply = ready!(Pin::new(&mut self.inner).poll(cx));
        let took = self.started.elapsed();
        let code = reply.as_ref().err().map(|failure| failure.code);
        self.state.metrics.ended(code, took);
        let failed = code.is_some_and(kernel::Code::is_server_fault);
        self.state.rates.record(self.state.ctx.now(), took, failed);
        if let Some(code) = code {
            self.span.error(code.name());
        }
        Poll::Ready(reply)
    }
}
