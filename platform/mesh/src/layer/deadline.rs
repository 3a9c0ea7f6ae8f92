//! The deadline: the earlier of the caller's and the edge's timeout. It is absolute and travels with
//! the call, so whoever is further in sees how much is left.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kernel::Deadline;
use tokio::time::Sleep;
use tower::Service;

use super::Inner;
use crate::edge::EdgeState;
use crate::{Call, Failure, MeshError, Payload, Reply};

#[derive(Clone)]
pub(super) struct WithDeadline<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
}

pub(super) enum Timed<F> {
    Running {
        inner: F,
        left: Duration,
        service: &'static str,
        /// Made only when the answer is not there at once.
        timer: Option<Pin<Box<Sleep>>>,
    },
    Passed {
        service: &'static str,
    },
}

impl<S: Inner> Service<Call> for WithDeadline<S> {
    type Response = Payload;
    type Error = Failure;
    type Future = Timed<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        let now = self.state.ctx.now();
        let timeout = Duration::from_millis(self.state.policy.load().timeout_ms);
        let deadline = call.cx.deadline.min(Deadline(now.plus(timeout)));
        let left = deadline.0.since(now);
        let service = call.method.service;
        if left.is_zero() {
            return Timed::Passed { service };
        }
        call.cx.deadline = deadline;
        Timed::Running {
            inner: self.inner.call(call),
            left,
            service,
            timer: None,
        }
    }
}

impl<F: Future<Output = Reply> + Unpin> Future for Timed<F> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        match &mut *self {
            Self::Passed { service } => Poll::Ready(Err(passed(service))),
            Self::Running {
                inner,
                left,
                service,
                timer,
            } => {
                if let Poll::Ready(reply) = Pin::new(inner).poll(cx) {
                    return Poll::Ready(reply);
                }
                let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(*left)));
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Err(passed(service)))
            }
        }
    }
}

fn passed(service: &str) -> Failure {
    MeshError::DeadlineExceeded {
        service: service.to_owned(),
    }
    .into()
}
