//! The bulkhead's layer: a call holds its place until it has ended or is dropped.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower::Service;

use super::{Inner, Slow};
use crate::edge::{EdgeState, Entry, Permit};
use crate::{Call, Failure, MeshError, Payload, Reply};

#[derive(Clone)]
pub(super) struct Bounded<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
}

pub(super) enum Bound<F> {
    Running { inner: F, _permit: Permit },
    Waiting(Slow),
}

impl<S: Inner> Service<Call> for Bounded<S> {
    type Response = Payload;
    type Error = Failure;
    type Future = Bound<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let service = call.method.service;
        match self
            .state
            .bulkhead
            .enter(&self.state.policy.load().bulkhead)
        {
            Entry::Admitted(permit) => Bound::Running {
                inner: self.inner.call(call),
                _permit: permit,
            },
            Entry::Full => Bound::Waiting(Box::pin(std::future::ready(Err(full(service))))),
            Entry::Waiting(turn) => {
                let mut inner = self.inner.clone();
                Bound::Waiting(Box::pin(async move {
                    let _permit = turn.await.map_err(|_| full(service))?;
                    inner.call(call).await
                }))
            }
        }
    }
}

impl<F: Future<Output = Reply> + Unpin> Future for Bound<F> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        match &mut *self {
            Self::Running { inner, .. } => Pin::new(inner).poll(cx),
            Self::Waiting(slow) => slow.as_mut().poll(cx),
        }
    }
}

fn full(service: &str) -> Failure {
    MeshError::BulkheadFull {
        service: service.to_owned(),
    }
    .into()
}
