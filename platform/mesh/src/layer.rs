//! The layers of an edge, outside in: observe, deadline, retry, deadline of the attempt, breaker,
//! bulkhead, faults, binding. Each is a tower service over [`Call`], written once for every contract and every binding. At rest
//! a layer's future only wraps the inner one, so that a whole call is one allocation deep.

mod breaker;
mod bulkhead;
mod deadline;
mod fault;
mod observe;
mod retry;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tower::ServiceBuilder;
use tower::layer::layer_fn;
use tower::util::BoxCloneSyncService;

use crate::edge::EdgeState;
use crate::{Call, Failure, Payload};

/// A whole edge with its types erased.
pub(crate) type Stack = BoxCloneSyncService<Call, Payload, Failure>;

/// What a layer stands on: a service whose futures can be polled without pinning.
pub(crate) trait Inner:
    tower::Service<Call, Response = Payload, Error = Failure, Future: Unpin + Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Inner for S where
    S: tower::Service<Call, Response = Payload, Error = Failure, Future: Unpin + Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Puts the layers of `state` around a binding.
pub(crate) fn stack<S: Inner>(state: &Arc<EdgeState>, binding: S) -> Stack {
    let state = || Arc::clone(state);
    let stack = ServiceBuilder::new()
        .layer(layer_fn(|inner| observe::Observe {
            state: state(),
            inner,
        }))
        .layer(layer_fn(|inner| deadline::WithDeadline {
            state: state(),
            inner,
            timeout: deadline::of_call,
        }))
        .layer(layer_fn(|inner| retry::Retrying {
            state: state(),
            inner,
        }))
        .layer(layer_fn(|inner| deadline::WithDeadline {
            state: state(),
            inner,
            timeout: deadline::of_attempt,
        }))
        .layer(layer_fn(|inner| breaker::Breaking {
            state: state(),
            inner,
        }))
        .layer(layer_fn(|inner| bulkhead::Bounded {
            state: state(),
            inner,
        }))
        .layer(layer_fn(|inner| fault::Faulty {
            state: state(),
            inner,
        }))
        .service(binding);
    BoxCloneSyncService::new(stack)
}

/// A binding alone, without any layer: what the layers cost is measured against it.
pub(crate) fn bare<S: Inner>(binding: S) -> Stack {
    BoxCloneSyncService::new(binding)
}

/// The slow way through a layer: only when it has something to do.
type Slow = BoxFuture<'static, crate::Reply>;
