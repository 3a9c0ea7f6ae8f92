//! Which services there are, and how a process puts its own together: one file per service.
//!
//! [`start`] is the way in: it makes a process what its role says, and answers a [`Running`] system.

mod console;
mod demo;
mod front;
mod gateway;
mod links;
// new-service: mod __name__;
mod running;
mod runs;
mod stage;
mod start;

use clap::builder::PossibleValue;
use kernel::Knobs;

use crate::operate::admin::{KnobView, view};
use crate::settings::config::{Config, Names};
use crate::shell::names::{CONSOLE, GATEWAY, Listed, servable};
use crate::shell::service::Service;

pub(crate) use self::console::compose as console;
pub(crate) use self::gateway::{compose as gateway, route};
pub use self::running::Running;
pub use self::start::{Env, start};

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

/// The same, as far as processes that do not run them must know them.
pub(crate) fn listed(config: &Config) -> Vec<Listed> {
    services(config).map(Service::listed).collect()
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

/// Who can be named in a configuration, depending on the rest of it.
pub(crate) fn names(config: &Config) -> Names {
    let all = listed(config);
    Names {
        replicated: all.iter().map(|service| service.name).collect(),
        placed: servable(&all),
    }
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
