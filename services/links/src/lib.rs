//! Short links: the code in, the target out, every click counted.
//!
//! Invariants: a redirect of a cached link waits for no database; a click that was answered is
//! counted once, and lost only with the power; a limited link redirects exactly as often as it says;
//! an edit is seen by every replica within a second; no visitor's address is ever written down.

mod config;
mod domain;
mod events;
mod http;
mod jobs;
mod service;
mod store;

use std::sync::Arc;

use bus::Consumer;
use cache::Tier;
use contracts::links::Links;
use kernel::{Ctx, Knobs};
use storage::{Db, Migration};
use telemetry::Telemetry;
use utoipa::openapi::OpenApi;
use web::RouteSpec;

pub use config::Config;
pub use http::openapi;
pub use jobs::Job;
pub use store::{MIGRATIONS, STATEMENTS};

/// The name of the service.
pub const NAME: &str = "links";

/// Everything that the service can touch.
pub struct Deps {
    /// Clock and randomness.
    pub ctx: Ctx,
    /// Its database.
    pub db: Db,
    /// What stands behind the memory of its cache.
    pub tier: Tier,
    /// Metrics, traces, time axis.
    pub telemetry: Telemetry,
}

/// What the service is made of; `app` runs it.
pub struct Parts {
    /// The contract.
    pub service: Arc<dyn Links>,
    /// Where its HTTP API and its redirects are mounted.
    pub routes: Vec<RouteSpec>,
    /// The HTTP API and the redirects.
    pub handler: Arc<dyn web::Handler>,
    /// What it hears.
    pub consumers: Vec<Consumer>,
    /// Its background loops.
    pub jobs: Vec<Job>,
    /// Its design choices.
    pub knobs: Knobs,
    /// The document of its API.
    pub openapi: OpenApi,
    /// Its schema.
    pub migrations: &'static [Migration],
}

/// Where requests of the world come in: the API, and everything that no other service takes.
#[must_use]
pub fn routes() -> Vec<RouteSpec> {
    vec![
        RouteSpec::any_host("/api/links", NAME),
        RouteSpec::any_host("/", NAME),
    ]
}

/// Its design choices, each at its default: known without it running.
#[must_use]
pub fn knobs() -> Knobs {
    config::knobs().0
}

/// Puts the service together. Does no I/O.
#[must_use]
pub fn build(config: Config, deps: Deps) -> Parts {
    let (knobs, choices) = config::knobs();
    let shared = matches!(deps.tier, Tier::Redis(_));
    let service = Arc::new(config::service(config, deps, choices));
    Parts {
        routes: routes(),
        handler: http::handler(&service),
        consumers: events::consumers(&service, shared),
        jobs: jobs::jobs(&service),
        knobs,
        openapi: openapi(),
        migrations: MIGRATIONS,
        service,
    }
}
