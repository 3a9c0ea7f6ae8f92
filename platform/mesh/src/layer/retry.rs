//! Sending again: only queries and keyed commands, within the edge's budget, after a wait with full
//! jitter, never before the callee allows it and never past the deadline.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kernel::{Random, Retry};
use tower::Service;

use super::{Inner, Slow};
use crate::edge::EdgeState;
use crate::{Call, Failure, Payload, Reply, RetryPolicy};

#[derive(Clone)]
pub(super) struct Retrying<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
}

pub(super) enum Retried<S: Inner> {
    /// The first attempt. What another one would need is kept if there may be another one.
    First {
        inner: S::Future,
        again: Option<Box<Again<S>>>,
    },
    Further(Slow),
}

pub(super) struct Again<S> {
    state: Arc<EdgeState>,
    service: S,
    call: Call,
}

impl<S: Inner> Service<Call> for Retrying<S> {
    type Response = Payload;
    type Error = Failure;
    type Future = Retried<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let policy = self.state.policy.load();
        let repeatable = call.method.idempotent || call.cx.idempotency_key.is_some();
        let again = (repeatable && policy.retry.attempts > 1).then(|| {
            self.state.budget.earn(&policy.retry);
            Box::new(Again {
                state: Arc::clone(&self.state),
                service: self.inner.clone(),
                call: call.clone(),
            })
        });
        Retried::First {
            inner: self.inner.call(call),
            again,
        }
    }
}

impl<S: Inner> Future for Retried<S> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        loop {
            match &mut *self {
                Self::Further(slow) => return slow.as_mut().poll(cx),
                Self::First { inner, again } => {
                    let reply = ready!(Pin::new(inner).poll(cx));
                    match (reply, again.take()) {
                        (Err(failure), Some(again)) if failure.retry != Retry::Never => {
                            *self = Self::Further(Box::pin(again.run(failure)));
                        }
                        (reply, _) => return Poll::Ready(reply),
                    }
                }
            }
        }
    }
}

impl<S: Inner> Again<S> {
    async fn run(mut self: Box<Self>, mut failure: Failure) -> Reply {
        let mut made = 1;
        loop {
            let policy = self.state.policy.load().retry.clone();
            if made >= policy.attempts || failure.retry == Retry::Never {
                return Err(failure);
            }
            let wait = jittered(&policy, made, &*self.state.ctx.random);
            let wait = wait.max(failure.retry.delay());
            // A wait that outlasts the deadline is a failure that only comes later.
            let now = self.state.ctx.now();
            if wait >= self.call.cx.deadline.0.since(now)
                || !self.state.budget.spend(&policy, self.state.ctx.steady())
            {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
            self.state.metrics.retried();
            made += 1;
            match self.service.call(self.call.clone()).await {
                Ok(payload) => return Ok(payload),
                Err(next) => failure = next,
            }
        }
    }
}

/// Full jitter: anything from nothing to the step's bound, so that callers do not march in step.
fn jittered(policy: &RetryPolicy, made: u32, random: &dyn Random) -> Duration {
    let factor = 1_u64.checked_shl(made - 1).unwrap_or(u64::MAX);
    let bound_ms = policy.base_ms.saturating_mul(factor).min(policy.cap_ms);
    Duration::from_micros(random.below(bound_ms.saturating_mul(1_000) + 1))
}

#[cfg(test)]
mod tests {
    use kernel::SeededRandom;

    use super::*;

    #[test]
    fn waits_are_spread_from_nothing_to_a_bound_that_doubles_up_to_the_cap() {
        let policy = RetryPolicy {
            base_ms: 100,
            cap_ms: 350,
            ..RetryPolicy::default()
        };
        let random = SeededRandom::new(7);
        for (made, bound_ms) in [(1, 100), (2, 200), (3, 350), (64, 350), (200, 350)] {
            let bound = Duration::from_millis(bound_ms);
            let mut tenths = [0_u32; 10];
            for _ in 0..10_000 {
                let wait = jittered(&policy, made, &random);
                assert!(wait <= bound, "{wait:?} after {made} attempts");
                let tenth = wait.as_micros() * 10 / (bound.as_micros() + 1);
                tenths[usize::try_from(tenth).expect("below ten")] += 1;
            }
            assert!(
                tenths.iter().all(|n| (800..1_200).contains(n)),
                "each tenth of the bound is as likely: {tenths:?}"
            );
        }
    }
}
