//! Bodies on their way through: what went wrong with an upload, and how a download ended.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use mesh::balance::{Outcome, Picked};
use mesh::pool::PooledBody;
use tokio::time::{Instant, Sleep, sleep_until};
use web::{Body, BodyError, BoxError};

/// Whether the client's own body was at fault when a request failed.
#[derive(Clone, Default)]
pub(super) struct Verdict(Option<Arc<OnceLock<BodyError>>>);

impl Verdict {
    /// What was wrong with the body, if it was at fault.
    pub(super) fn get(&self) -> Option<BodyError> {
        self.0.as_ref()?.get().copied()
    }

    /// `body`, watched.
    pub(super) fn watch(&mut self, body: Body) -> Body {
        let fault = self.0.get_or_insert_default();
        Body::stream(Upload {
            body,
            fault: Arc::clone(fault),
        })
    }
}

/// A client's body on its way to a replica.
struct Upload {
    body: Body,
    fault: Arc<OnceLock<BodyError>>,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Err(error)) = &frame {
            let fault = error.downcast_ref().copied().unwrap_or(BodyError::Broken);
            // Only the first fault counts.
            let _ = self.fault.set(fault);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What is known of a replica once the head of its answer is here.
pub(super) struct Ending {
    pub(super) picked: Picked,
    pub(super) outcome: Outcome,
    /// Until the head: the rest may be an event stream that lasts for hours.
    pub(super) latency: Duration,
}

/// A replica's answer on its way to the client. The replica counts as busy until it ends.
pub(super) struct Download {
    inner: PooledBody<Body>,
    ending: Option<Ending>,
    pause_max: Duration,
    /// Made at the first pause: most answers come in one piece.
    alarm: Option<Pin<Box<Sleep>>>,
    pausing: bool,
}

/// The answer stopped half-way.
#[derive(Debug, thiserror::Error)]
#[error("the service stopped sending its answer")]
struct Stalled;

impl Download {
    pub(super) fn new(inner: PooledBody<Body>, ending: Ending, pause_max: Duration) -> Self {
        Self {
            inner,
            ending: Some(ending),
            pause_max,
            alarm: None,
            pausing: false,
        }
    }

    fn end(&mut self, outcome: Option<Outcome>) {
        if let Some(ending) = self.ending.take() {
            ending
                .picked
                .finish_after(outcome.unwrap_or(ending.outcome), ending.latency);
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = Instant::now() + self.pause_max;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if !self.pausing {
            self.pausing = true;
            alarm.as_mut().reset(until);
        }
        alarm.as_mut().poll(cx)
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                std::task::ready!(self.poll_alarm(cx));
                self.end(Some(Outcome::Timeout));
                return Poll::Ready(Some(Err(Stalled.into())));
            }
        };
        self.pausing = false;
        match &frame {
            None => self.end(None),
            Some(Err(_)) => self.end(Some(Outcome::Reset)),
            Some(Ok(_)) if self.inner.is_end_stream() => self.end(None),
            Some(Ok(_)) => {}
        }
        Poll::Ready(frame.map(|f| f.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
