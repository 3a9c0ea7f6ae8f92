//! Discovery from a list that is given, and changed only by hand.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Discovery, Endpoint, Endpoints};

/// Endpoints that somebody wrote down. Cheap to clone; clones share their state.
#[derive(Clone, Default)]
pub struct StaticDiscovery(Arc<Mutex<HashMap<String, Sender>>>);

type Sender = watch::Sender<Arc<[Endpoint]>>;

impl StaticDiscovery {
    /// No endpoints yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with these endpoints of `service`.
    #[must_use]
    pub fn with(self, service: &str, endpoints: impl Into<Arc<[Endpoint]>>) -> Self {
        self.set(service, endpoints);
        self
    }

    /// Replaces the endpoints of `service`; watchers see it.
    pub fn set(&self, service: &str, endpoints: impl Into<Arc<[Endpoint]>>) {
        self.sender(service).send_replace(endpoints.into());
    }

    /// The same, without waking anybody when nothing is different.
    pub(super) fn set_if_changed(&self, service: &str, endpoints: Arc<[Endpoint]>) {
        self.sender(service).send_if_modified(|known| {
            let changed = **known != *endpoints;
            *known = endpoints;
            changed
        });
    }

    /// Every service that has been set or watched.
    pub(super) fn services(&self) -> Vec<String> {
        self.0.lock().keys().cloned().collect()
    }

    fn sender(&self, service: &str) -> Sender {
        let mut known = self.0.lock();
        if let Some(sender) = known.get(service) {
            return sender.clone();
        }
        let sender = watch::Sender::new(Arc::from(Vec::new()));
        known.insert(service.to_owned(), sender.clone());
        sender
    }
}

impl Discovery for StaticDiscovery {
    fn watch(&self, service: &str) -> Endpoints {
        self.sender(service).subscribe()
    }
}
