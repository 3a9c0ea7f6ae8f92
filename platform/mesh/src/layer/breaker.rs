//! The circuit breaker's layer: asks before each attempt, and notes how it ended. An attempt that is
//! dropped because its deadline passed counts as failed; one that is given up earlier, not at all.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use kernel::Deadline;
use telemetry::EventKind;
use tower::Service;

use super::Inner;
use crate::edge::{Admission, EdgeState, Ended, Transition};
use crate::timer::TIMER_SLACK;
use crate::{Call, Failure, FailureKind, MeshError, Payload, Reply};

#[derive(Clone)]
pub(super) struct Breaking<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
}

pub(super) enum Guarded<F> {
    Running { inner: F, guard: Option<Guard> },
    Refused { failure: Option<Failure> },
}

/// Notes how an attempt ended, also when it is dropped.
pub(super) struct Guard {
    state: Arc<EdgeState>,
    admission: Admission,
    deadline: Deadline,
    done: bool,
}

impl<S: Inner> Service<Call> for Breaking<S> {
    type Response = Payload;
    type Error = Failure;
    type Future = Guarded<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let policy = self.state.policy.load();
        if !policy.breaker.on {
            return Guarded::Running {
                inner: self.inner.call(call),
                guard: None,
            };
        }
        let (admitted, transition) = self
            .state
            .breaker
            .admit(&policy.breaker, || self.state.ctx.steady());
        note(&self.state, transition);
        match admitted {
            Ok(admission) => {
                let state = Arc::clone(&self.state);
                let deadline = call.cx.deadline;
                let guard = Guard {
                    state,
                    admission,
                    deadline,
                    done: false,
                };
                Guarded::Running {
                    inner: self.inner.call(call),
                    guard: Some(guard),
                }
            }
            Err(after_ms) => {
                let service = call.method.service.to_owned();
                let failure = MeshError::BreakerOpen { service, after_ms }.into();
                Guarded::Refused {
                    failure: Some(failure),
                }
            }
        }
    }
}

impl<F: Future<Output = Reply> + Unpin> Future for Guarded<F> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        match &mut *self {
            Self::Refused { failure } => match failure.take() {
                Some(failure) => Poll::Ready(Err(failure)),
                None => Poll::Pending,
            },
            Self::Running { inner, guard } => {
                let reply = ready!(Pin::new(inner).poll(cx));
                if let Some(guard) = guard.take() {
                    guard.end(judge(&reply));
                }
                Poll::Ready(reply)
            }
        }
    }
}

fn judge(reply: &Reply) -> Ended {
    match reply {
        Err(failure) => match &failure.error {
            FailureKind::Mesh(error) if error.is_local() => Ended::Unknown,
            _ if failure.code.is_server_fault() => Ended::Badly,
            _ => Ended::Well,
        },
        Ok(_) => Ended::Well,
    }
}

impl Guard {
    fn end(mut self, ended: Ended) {
        self.record(ended);
    }

    fn record(&mut self, ended: Ended) {
        self.done = true;
        let policy = self.state.policy.load();
        let now = self.state.ctx.steady();
        let transition = self
            .state
            .breaker
            .record(self.admission, ended, &policy.breaker, now);
        note(&self.state, transition);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let left = self.deadline.left(&*self.state.ctx.clock);
        self.record(if left <= TIMER_SLACK {
            Ended::Badly
        } else {
            Ended::Unknown
        });
    }
}

fn note(state: &EdgeState, transition: Option<Transition>) {
    let Some(transition) = transition else { return };
    let (caller, callee) = (&*state.caller, &*state.callee);
    let text = match transition {
        Transition::Opened { failed, calls } => {
            format!("breaker {caller} -> {callee} opened: {failed} of {calls} calls failed")
        }
        Transition::Reopened => {
            format!("breaker {caller} -> {callee} opened again: a probe failed")
        }
        Transition::HalfOpened => format!("breaker {caller} -> {callee} lets probes through"),
        Transition::Closed => format!("breaker {caller} -> {callee} closed: its probes succeeded"),
    };
    state.metrics.breaker(matches!(
        transition,
        Transition::Opened { .. } | Transition::Reopened
    ));
    tracing::info!(caller, callee, "{text}");
    let attributes = [("caller", caller), ("callee", callee)];
    state
        .telemetry
        .timeline
        .record(EventKind::Breaker, text, &attributes);
}
