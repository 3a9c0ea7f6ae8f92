//! The names of what runs, which stand in every place: command line, configuration, registry, metrics.

/// The name of the front door, which is no service behind the gateway: it has its own way in.
pub(crate) const GATEWAY: &str = "gateway";
/// The name of the page, which is none either: it sees the whole system.
pub(crate) const CONSOLE: &str = "console";

/// A service behind the gateway, as far as processes that do not run it must know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its consumers in groups and their topics: relays of other services must know them.
    pub(crate) consumers: &'static [(&'static str, &'static [&'static str])],
}

/// Everything that can be a process of its own, in a system with these services.
pub(crate) fn servable(services: &[Listed]) -> Vec<&'static str> {
    let names = services.iter().map(|service| service.name);
    [GATEWAY, CONSOLE].into_iter().chain(names).collect()
}
