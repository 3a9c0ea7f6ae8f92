//! Which services there are, and how a process puts its own together: one file per service.

mod console;
mod gateway;
mod links;
// new-service: mod __name__;
mod stage;

use std::sync::Arc;

use anyhow::Result;
use clap::builder::PossibleValue;
use futures_util::future::BoxFuture;
use kernel::Knobs;
use utoipa::openapi::OpenApi;
use web::RouteSpec;

use crate::admin::{KnobView, view};
use crate::config::Config;
use crate::host::{Host, Hosted};

pub(crate) use self::console::compose as console;
pub(crate) use self::gateway::{compose as gateway, route};

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

/// Every service behind the gateway; who is called stands before its callers.
const SERVICES: &[Service] = &[
    links::SERVICE,
    // new-service: __name__::SERVICE,
];

/// What a system of this configuration has behind its gateway; who is called stands before its
/// callers.
pub(crate) fn services(config: &Config) -> impl Iterator<Item = &'static Service> + use<> {
    SERVICES.iter().chain(of_lab(config))
}

/// The services that only the lab wants.
fn of_lab(config: &Config) -> &'static [Service] {
    if config.lab.stage {
        stage::SERVICES
    } else {
        &[]
    }
}

/// The service called `name`, in a system of this configuration.
pub(crate) fn service(config: &Config, name: &str) -> Option<&'static Service> {
    services(config).find(|service| service.name == name)
}

/// The name of the front door, which is no service of [`services`]: it has its own way in.
pub(crate) const GATEWAY: &str = "gateway";
/// The name of the page, which is none either: it sees the whole system.
pub(crate) const CONSOLE: &str = "console";

/// Every service behind the gateway that there can be, those that only the lab wants among them.
pub(crate) fn known() -> impl Iterator<Item = &'static Service> {
    SERVICES.iter().chain(stage::SERVICES)
}

/// Whether a service is one of the lab's stage, which stand and fall together.
pub(crate) fn is_of_stage(name: &str) -> bool {
    stage::SERVICES.iter().any(|service| service.name == name)
}

/// Every knob that exists, each at its default. Nothing is started for it.
pub(crate) fn catalogue() -> Vec<KnobView> {
    let front = (GATEWAY, ::gateway::knobs as fn() -> Knobs);
    let services = known().map(|service| (service.name, service.knobs));
    let all = std::iter::once(front).chain(services);
    all.flat_map(|(name, knobs)| {
        let list = knobs().list();
        list.into_iter().map(move |knob| view(name, &knob))
    })
    .collect()
}

/// Everything that `serve` can run in a system of this configuration.
pub(crate) fn servable(config: &Config) -> Vec<&'static str> {
    [GATEWAY, CONSOLE]
        .into_iter()
        .chain(services(config).map(|service| service.name))
        .collect()
}

/// Everything that `serve` could run, before a configuration is read; what only the lab wants is
/// not shown.
pub(crate) fn choices() -> Vec<PossibleValue> {
    let shown = [GATEWAY, CONSOLE]
        .into_iter()
        .chain(SERVICES.iter().map(|service| service.name))
        .map(PossibleValue::new);
    let hidden = stage::SERVICES
        .iter()
        .map(|service| PossibleValue::new(service.name).hide(true));
    shown.chain(hidden).collect()
}
