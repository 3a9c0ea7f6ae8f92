//! A stage for experiments: three small services that are built as any other, so that what is
//! measured is the mesh and not a model of it.
//!
//! `stage_front` takes requests and calls `stage_back`, which has finite capacity, and `stage_steady`,
//! which is always quick: two callees, and so two edges, each with a policy of its own.
//!
//! Invariants: a callee does no more than its workers allow, and a job that it has taken is done or,
//! at its end, refused; no queue is without a bound.

mod callee;
mod config;
mod contract;
mod desk;
mod front;
mod http;
mod slots;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use kernel::{Ctx, Knobs, Tasks};
use telemetry::Metrics;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use web::RouteSpec;

pub use config::{Capacity, Config};
pub use contract::{
    Back, BackClient, BackServer, Done, StageError, Steady, SteadyClient, SteadyServer, Work,
};
pub use front::FrontDeps;

/// The name of the service that takes requests.
pub const FRONT: &str = "stage_front";
/// The name of the callee with finite capacity.
pub const BACK: &str = "stage_back";
/// The name of the callee that is always quick.
pub const STEADY: &str = "stage_steady";

/// A loop that `app` starts and, at shutdown, asks to end.
pub struct Job {
    /// Its name in logs.
    pub name: &'static str,
    /// Runs until the tasks are asked to end.
    pub run: Box<dyn FnOnce(Tasks) -> BoxFuture<'static, ()> + Send>,
}

/// What a callee is made of; `app` runs it.
pub struct Callee<T: ?Sized> {
    /// The contract.
    pub service: Arc<T>,
    /// Its design choices.
    pub knobs: Knobs,
    /// Its workers.
    pub jobs: Vec<Job>,
}

/// Which requests of the world are `stage_front`'s own.
#[must_use]
pub fn routes() -> Vec<RouteSpec> {
    vec![RouteSpec::any_host("/stage", FRONT)]
}

/// The document of `stage_front`'s API.
#[must_use]
pub fn openapi() -> OpenApi {
    http::Document::openapi()
}

/// Puts `stage_front` together: its routes. Does no I/O.
#[must_use]
pub fn front(config: &Config, deps: FrontDeps) -> Arc<dyn web::Handler> {
    http::handler(front::Front::new(config, deps))
}

/// Puts `stage_back` together. Does no I/O.
#[must_use]
pub fn back(config: &Config, ctx: &Ctx, metrics: &Metrics) -> Callee<dyn Back> {
    callee::back(&config.back, ctx, metrics)
}

/// The design choices of the callee with finite capacity, without building it.
#[must_use]
pub fn knobs() -> Knobs {
    callee::knobs().0
}

/// Puts `stage_steady` together. Does no I/O.
#[must_use]
pub fn steady(config: &Config, ctx: &Ctx, metrics: &Metrics) -> Callee<dyn Steady> {
    callee::steady(&config.steady, ctx, metrics)
}
