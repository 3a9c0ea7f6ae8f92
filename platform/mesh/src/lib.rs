//! Contract calls between services, the layers on an edge, discovery and balancing.
//!
//! A contract ([`contract!`]) is a trait; its client calls over an [`Edge`]. An edge is one stack of
//! layers, the same for every binding: observe, deadline, retry, deadline of the attempt, breaker,
//! bulkhead, faults, binding.
//! [`MeshRegistry`] knows every edge of the process and changes its [`Policy`] while it runs.
//!
//! Invariants: a callee never shares memory with its caller except by moving it. A command without
//! an idempotency key is sent once. Nothing waits without a deadline, and no queue is unbounded.

pub mod balance;
pub mod discovery;
pub mod pool;
pub mod rpc;

mod binding;
mod call;
mod codec;
mod contract;
mod edge;
mod error;
mod layer;
mod policy;
mod registry;
mod timer;

pub use binding::HttpTarget;
pub use call::{
    Body, Call, CallCx, Dispatch, Failure, FailureKind, Form, Method, Payload, Reply, reply,
    unknown_method,
};
pub use codec::MESSAGE_BYTES_MAX;
pub use edge::{Binding, BreakerView, Edge, EdgeRates, EdgeView};
pub use error::MeshError;
pub use policy::{BreakerPolicy, BulkheadPolicy, Policy, PolicyError, RetryPolicy};
pub use registry::{EdgeError, MeshRegistry};
pub use timer::Limited;

/// What the `contract!` macro needs in scope.
#[doc(hidden)]
pub mod private {
    pub use async_trait::async_trait;
    pub use futures_util::future::BoxFuture;
    pub use pastey::paste;
}
