//! The front door: one listener, a route table by host and path, and for each route a handler in
//! this process or replicas of a service behind a balancer.
//!
//! Invariants: a local route opens no socket; a request is sent again only if nothing of it was
//! sent or its method is idempotent and it has no body; what a client says about itself in internal
//! headers reaches nobody; every answer of the gateway's own is a problem that names the service
//! and no address.

mod choices;
mod config;
mod error;
mod explain;
mod front;
mod gateway;
mod health;
mod proxy;
mod route;
mod upstream;
mod worker;

use std::sync::Arc;

use faults::Faults;
use kernel::{Ctx, Knobs};
use mesh::discovery::Discovery;
use telemetry::Telemetry;
use web::{ClusterSecret, Ingress};

pub use config::{Config, ForwardedStyle, HealthConfig, RetryConfig, UpstreamConfig};
pub use gateway::{Gateway, Parts, RouteView};
pub use route::{Route, RouteTableError};
pub use upstream::UpstreamView;

/// What the gateway can touch.
pub struct Deps {
    /// Clock and randomness.
    pub ctx: Ctx,
    /// Metrics, traces, time axis.
    pub telemetry: Telemetry,
    /// Finds out who asks.
    pub ingress: Ingress,
    /// Where the replicas of remote services are.
    pub discovery: Arc<dyn Discovery>,
    /// What remote services of this system know the gateway by.
    pub cluster: Option<ClusterSecret>,
    /// What strikes requests at the door on purpose.
    pub faults: Faults,
}

/// Its design choices, each at its default: known without it running.
#[must_use]
pub fn knobs() -> Knobs {
    choices::declare().0
}

/// Puts the gateway together. No I/O happens before [`Gateway::serve`].
#[must_use]
pub fn build(config: Config, deps: Deps) -> Parts {
    let (knobs, choices) = choices::declare();
    Parts {
        gateway: Gateway::new(config, deps, choices),
        knobs,
    }
}
