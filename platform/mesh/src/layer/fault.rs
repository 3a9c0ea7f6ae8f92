//! The fault layer: the innermost, so that an injected fault looks to every other layer as if the
//! callee had caused it.

use std::sync::Arc;
use std::task::{Context, Poll};

use faults::{Effect, Facts, Seam};
use futures_util::future::Either;
use tower::Service;

use super::{Inner, Slow};
use crate::edge::EdgeState;
use crate::{Call, Failure, MeshError, Payload};

#[derive(Clone)]
pub(super) struct Faulty<S> {
    pub(super) state: Arc<EdgeState>,
    pub(super) inner: S,
}

impl<S: Inner> Service<Call> for Faulty<S> {
    type Response = Payload;
    type Error = Failure;
    type Future = Either<S::Future, Slow>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let state = &self.state;
        if !state.faults.any(Seam::Call) {
            return Either::Left(self.inner.call(call));
        }
        let facts = Facts {
            service: Some(&state.callee),
            caller: Some(&state.caller),
            method: Some(call.method.name),
        };
        let hits = state.faults.hits(Seam::Call, facts);
        if hits.is_empty() {
            return Either::Left(self.inner.call(call));
        }
        let mut inner = self.inner.clone();
        Either::Right(Box::pin(async move {
            for hit in hits {
                match hit.effect() {
                    Effect::Error { code } => {
                        let service = call.method.service.to_owned();
                        let fault = hit.id().to_owned();
                        return Err(MeshError::Injected {
                            service,
                            fault,
                            code,
                        }
                        .into());
                    }
                    // What is lost stays lost: the deadline ends the wait.
                    Effect::Drop => std::future::pending::<()>().await,
                    _ => hit.hold_up().await,
                }
            }
            inner.call(call).await
        }))
    }
}
