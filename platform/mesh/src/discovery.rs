//! Where the endpoints of a service are: a fixed list, DNS, or the supervisor's registry.

mod client;
mod dns;
mod fixed;
mod registry;

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use client::RegistryClient;
pub use dns::DnsDiscovery;
pub use fixed::StaticDiscovery;
pub use registry::{Registration, Registry, RegistryState, RegistryView};

/// How many endpoints of one service are kept at most.
pub const ENDPOINTS_MAX: usize = 1_024;

/// One place where a service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name: stable while it lives, the same for everybody.
    pub id: Arc<str>,
    /// Its address.
    pub addr: SocketAddr,
    /// Its share of the traffic, relative to the others; 1 unless told.
    #[serde(default = "one")]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

impl Endpoint {
    /// An endpoint with the address as its id, and weight 1.
    #[must_use]
    pub fn at(addr: SocketAddr) -> Self {
        Self {
            id: addr.to_string().into(),
            addr,
            weight: 1,
        }
    }

    /// An endpoint with this id, and weight 1.
    #[must_use]
    pub fn named(id: impl Into<Arc<str>>, addr: SocketAddr) -> Self {
        Self {
            id: id.into(),
            addr,
            weight: 1,
        }
    }
}

/// The endpoints of a service as they come and go.
pub type Endpoints = watch::Receiver<Arc<[Endpoint]>>;

/// Knows where services are.
pub trait Discovery: Send + Sync + 'static {
    /// The endpoints of `service`, now and later. Empty while none is known.
    fn watch(&self, service: &str) -> Endpoints;
}
