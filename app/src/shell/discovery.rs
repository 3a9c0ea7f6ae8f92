//! Where services in other processes are: written down, in DNS, or in the supervisor's registry.

use std::sync::Arc;
use std::time::Duration;

use kernel::Tasks;
use mesh::discovery::{
    Discovery as Finder, DnsDiscovery, Endpoint, Endpoints, RegistryClient, StaticDiscovery,
};
use web::ClusterSecret;

use crate::settings::config::Discovery;

const RESOLVE_EVERY: Duration = Duration::from_secs(5);

/// What the configuration says; each service is found in one way.
pub(crate) struct Found {
    fixed: StaticDiscovery,
    dns: Option<DnsDiscovery>,
    /// The registry, which is also where this process says where it is.
    pub(crate) registry: Option<RegistryClient>,
    config: Discovery,
}

/// Begins to look.
pub(crate) fn of(config: &Discovery, secret: &ClusterSecret, tasks: &Tasks) -> Arc<Found> {
    let mut fixed = StaticDiscovery::new();
    for (service, addresses) in &config.addresses {
        let endpoints: Vec<Endpoint> = addresses.iter().copied().map(Endpoint::at).collect();
        fixed = fixed.with(service, endpoints);
    }
    let dns = (!config.dns.is_empty())
        .then(|| DnsDiscovery::start(config.dns.clone(), RESOLVE_EVERY, tasks));
    let secret: Arc<str> = secret.expose().into();
    let registry = config
        .registry
        .map(|addr| RegistryClient::start(addr, Some(secret), tasks));
    Arc::new(Found {
        fixed,
        dns,
        registry,
        config: config.clone(),
    })
}

impl Found {
    /// Whether there is a way to find `service`.
    pub(crate) fn knows(&self, service: &str) -> bool {
        let Discovery {
            registry,
            addresses,
            dns,
        } = &self.config;
        registry.is_some() || addresses.contains_key(service) || dns.contains_key(service)
    }
}

impl Finder for Found {
    fn watch(&self, service: &str) -> Endpoints {
        match (&self.dns, &self.registry) {
            _ if self.config.addresses.contains_key(service) => self.fixed.watch(service),
            (Some(dns), _) if self.config.dns.contains_key(service) => dns.watch(service),
            (_, Some(registry)) => registry.watch(service),
            _ => self.fixed.watch(service),
        }
    }
}
