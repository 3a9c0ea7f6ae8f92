//! Keeps __name__: things with a name, each known by its id.
//!
//! Invariants: a change and the event that tells of it are committed together; the same idempotency
//! key takes effect once; the count is kept from the events and by nothing else.

mod domain;
mod events;
mod http;
mod jobs;
mod service;
mod store;

use std::sync::Arc;

use bus::Consumer;
use contracts::__name__::__Name__;
use kernel::{ChoiceKnob, Ctx, Knobs};
use serde::{Deserialize, Serialize};
use storage::{Db, Migration};
use telemetry::Telemetry;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use web::RouteSpec;

pub use events::CONSUMERS;
pub use jobs::Job;
pub use store::{MIGRATIONS, STATEMENTS};

/// The name of the service.
pub const NAME: &str = "__name__";

/// What a person may configure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long an idempotency key is remembered, in hours.
    pub idempotency_hours: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { idempotency_hours: 24 }
    }
}

/// Everything that the service can touch.
pub struct Deps {
    /// Clock and randomness.
    pub ctx: Ctx,
    /// Its database.
    pub db: Db,
    /// Metrics, traces, time axis.
    pub telemetry: Telemetry,
}

/// What the service is made of; `app` runs it.
pub struct Parts {
    /// The contract.
    pub service: Arc<dyn __Name__>,
    /// Where its HTTP API is mounted.
    pub routes: Vec<RouteSpec>,
    /// The HTTP API.
    pub handler: Arc<dyn web::Handler>,
    /// What it hears.
    pub consumers: Vec<Consumer>,
    /// Its background loops.
    pub jobs: Vec<Job>,
    /// Its design choices.
    pub knobs: Knobs,
    /// Its schema.
    pub migrations: &'static [Migration],
}

/// Which requests of the world are its own.
#[must_use]
pub fn routes() -> Vec<RouteSpec> {
    vec![RouteSpec::any_host("/api/__name__", NAME)]
}

/// The document of its API.
#[must_use]
pub fn openapi() -> OpenApi {
    web::described(http::Document::openapi(), NAME)
}

/// Its design choices, each at its default: known without it running.
#[must_use]
pub fn knobs() -> Knobs {
    declared().0
}

fn declared() -> (Knobs, ChoiceKnob<domain::Order>) {
    let trades = "what people look for first, for pages that do not shift while they are read";
    Knobs::none().declare("order", trades)
}

/// Puts the service together. Does no I/O.
#[must_use]
pub fn build(config: Config, deps: Deps) -> Parts {
    let Deps { ctx, db, telemetry } = deps;
    let (knobs, order) = declared();
    let store = store::Store(db.clone());
    let service: Arc<dyn __Name__> =
        Arc::new(service::Service { ctx: ctx.clone(), store, order });
    Parts {
        routes: routes(),
        handler: http::handler(
            http::Routes { ctx, service: Arc::clone(&service) },
            &telemetry.metrics,
        ),
        service,
        consumers: events::consumers(),
        jobs: jobs::jobs(db, &config),
        knobs,
        migrations: MIGRATIONS,
    }
}
