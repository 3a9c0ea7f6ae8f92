//! What a service is to a process: known without it running, and how it is put together.

use std::sync::Arc;

use anyhow::Result;
use futures_util::future::BoxFuture;
use kernel::Knobs;
use utoipa::openapi::OpenApi;
use web::RouteSpec;

use crate::settings::config::Config;
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;
use crate::shell::names::Listed;

/// A service behind the gateway.
pub(crate) struct Service {
    /// Its name, in every place: command line, configuration, registry, metrics.
    pub(crate) name: &'static str,
    /// Which requests of the world are its own; known without it running.
    pub(crate) routes: fn(&Config) -> Vec<RouteSpec>,
    /// The document of its API.
    pub(crate) openapi: fn() -> OpenApi,
    /// Its design choices, each at its default; known without it running.
    pub(crate) knobs: fn() -> Knobs,
    /// Its consumers in groups and their topics: relays of other services must know them.
    pub(crate) consumers: &'static [(&'static str, &'static [&'static str])],
    /// Reads its configuration, builds its deps, gives its parts.
    pub(crate) compose: for<'a> fn(&'a Arc<Host>) -> BoxFuture<'a, Result<Hosted>>,
}

impl Service {
    /// What others know of it.
    pub(crate) fn listed(&self) -> Listed {
        Listed {
            name: self.name,
            consumers: self.consumers,
        }
    }
}
