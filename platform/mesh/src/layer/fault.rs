//! The fault layer: the innermost, so that an injected fault looks to every other layer as if the
//! callee had caused it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::Either;
use tower::Service;

use super::{Inner, Slow};
use crate::edge::EdgeState;
use crate::{Call, Failure, FaultKind, MeshError, Payload};

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
        if !self.state.faults.any() {
            return Either::Left(self.inner.call(call));
        }
        self.state.reap_faults();
        let hits = self.state.faults.hits(call.method.name, &self.state.ctx);
        if hits.is_empty() {
            return Either::Left(self.inner.call(call));
        }
        let mut inner = self.inner.clone();
        Either::Right(Box::pin(async move {
            for fault in hits {
                match fault.spec.kind {
                    FaultKind::Latency { ms } => {
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                    }
                    FaultKind::Drop => std::future::pending::<()>().await,
                    FaultKind::Error { code } => {
                        let service = call.method.service.to_owned();
                        let fault = fault.id.to_string();
                        return Err(MeshError::Injected {
                            service,
                            fault,
                            code,
                        }
                        .into());
                    }
                }
            }
            inner.call(call).await
        }))
    }
}
