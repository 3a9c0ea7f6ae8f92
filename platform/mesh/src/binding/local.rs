//! In process: the dispatcher is called at once, on the caller's task. Direct and strict differ only
//! in whether the message comes typed or as bytes.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::Service;

use crate::{Call, Dispatch, Failure, Payload, Reply};

#[derive(Clone)]
pub(crate) struct LocalBinding(pub(crate) Arc<dyn Dispatch>);

impl Service<Call> for LocalBinding {
    type Response = Payload;
    type Error = Failure;
    type Future = BoxFuture<'static, Reply>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        self.0.dispatch(call)
    }
}
