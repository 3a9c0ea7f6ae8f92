//! Discovery by DNS: names are resolved again and again; when that fails, the last answer stands.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kernel::Tasks;

use super::{Discovery, ENDPOINTS_MAX, Endpoint, Endpoints, StaticDiscovery};

/// How long one resolution may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Endpoints from the addresses behind a name.
#[derive(Clone)]
pub struct DnsDiscovery(StaticDiscovery);

impl DnsDiscovery {
    /// Resolves `names` (service to `host:port`) now and every `interval`, until `tasks` end.
    #[must_use]
    pub fn start(names: BTreeMap<String, String>, interval: Duration, tasks: &Tasks) -> Self {
        let known = StaticDiscovery::new();
        let (work, stop) = (known.clone(), tasks.clone());
        tasks.spawn(async move {
            loop {
                for (service, name) in &names {
                    refresh(&work, service, name).await;
                }
                tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    () = stop.stopping() => break,
                }
            }
        });
        Self(known)
    }
}

impl Discovery for DnsDiscovery {
    fn watch(&self, service: &str) -> Endpoints {
        self.0.watch(service)
    }
}

async fn refresh(known: &StaticDiscovery, service: &str, name: &str) {
    match tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host(name)).await {
        Ok(Ok(found)) => {
            let mut addrs: Vec<SocketAddr> = found.take(ENDPOINTS_MAX).collect();
            addrs.sort_unstable();
            addrs.dedup();
            let endpoints: Arc<[Endpoint]> = addrs.into_iter().map(Endpoint::at).collect();
            // An empty answer is more often a fault of the resolver than the end of a service.
            if !endpoints.is_empty() {
                known.set_if_changed(service, endpoints);
            }
        }
        Ok(Err(error)) => tracing::warn!(service, name, %error, "cannot resolve; keeping the last"),
        Err(_) => tracing::warn!(service, name, "resolving takes too long; keeping the last"),
    }
}
