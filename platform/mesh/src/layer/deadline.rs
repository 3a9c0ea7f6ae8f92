//! The deadline: the earlier of the caller's and the edge's timeout. It is absolute and travels with
//! the call, so whoever is further in sees how much is left.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kernel::Deadline;
use tower::Service;

use super::Inner;
use crate::edge::EdgeState;
use crate::timer::Limited;
use crate::{Call, Failure, MeshError, Payload, Reply};

#[derive(Clone)]
pub(super) struct WithDeadline<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
}

pub(super) enum Timed<F> {
    Running {
        inner: Limited<F>,
        service: &'static str,
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
        let inner = Limited::new(left, self.inner.call(call));
        Timed::Running { inner, service }
    }
}

impl<F: Future<Output = Reply> + Unpin> Future for Timed<F> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        match &mut *self {
            Self::Passed { service } => Poll::Ready(Err(passed(service))),
            Self::Running { inner, service } => {
                let reply = ready!(Pin::new(inner).poll(cx));
                Poll::Ready(reply.unwrap_or_else(|| Err(passed(service))))
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
