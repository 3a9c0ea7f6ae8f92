//! The deadline: the earlier of the caller's and the edge's timeout. It is absolute and travels with
//! the call, so whoever is further in sees how much is left. The same layer stands twice on an edge:
//! around the whole call, and around each of its attempts.

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
use crate::{Call, Failure, MeshError, Payload, Policy, Reply};

#[derive(Clone)]
pub(super) struct WithDeadline<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
    /// The timeout of a policy that is meant, if it sets one.
    pub(super) timeout: fn(&Policy) -> Option<Duration>,
}

pub(super) enum Timed<F> {
    /// Within the deadline that it came with.
    As(F),
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
        let Some(timeout) = (self.timeout)(&self.state.policy.load()) else {
            return Timed::As(self.inner.call(call));
        };
        let now = self.state.ctx.now();
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
            Self::As(inner) => Pin::new(inner).poll(cx),
            Self::Passed { service } => Poll::Ready(Err(passed(service))),
            Self::Running { inner, service } => {
                let reply = ready!(Pin::new(inner).poll(cx));
                Poll::Ready(reply.unwrap_or_else(|| Err(passed(service))))
            }
        }
    }
}

/// How long a whole call may take.
pub(super) fn of_call(policy: &Policy) -> Option<Duration> {
    Some(Duration::from_millis(policy.timeout_ms))
}

/// How long one attempt may take, where that is less than the whole call.
pub(super) fn of_attempt(policy: &Policy) -> Option<Duration> {
    let ms = policy.retry.attempt_timeout_ms;
    (ms > 0).then(|| Duration::from_millis(ms))
}

fn passed(service: &str) -> Failure {
    MeshError::DeadlineExceeded {
        service: service.to_owned(),
    }
    .into()
}
