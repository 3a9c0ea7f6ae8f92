//! The supervisor's registry: who offers what, each entry under a lease. The state is pure; a
//! front with a lock and a bell serves long polls.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kernel::Steady;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{ENDPOINTS_MAX, Endpoint};

/// How long an entry lives without being renewed, unless it asks for less.
const LEASE_MS_MAX: u64 = 60_000;

/// What a process says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The service that it offers.
    pub service: String,
    /// Its name.
    pub id: Arc<str>,
    /// Where.
    pub addr: SocketAddr,
    /// Its share of the traffic.
    #[serde(default = "super::one")]
    pub weight: u32,
    /// It is forgotten after this long without renewal; at most a minute.
    pub lease_ms: u64,
}

/// What the registry answers: `GET /registry?after=VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RegistryView {
    /// Grows with each change.
    pub version: u64,
    /// The endpoints by service.
    pub services: BTreeMap<String, Vec<Endpoint>>,
}

struct Entry {
    endpoint: Endpoint,
    lease: Duration,
    until: Steady,
}

/// Who offers what. Pure: time is passed in.
#[derive(Default)]
pub struct RegistryState {
    version: u64,
    entries: BTreeMap<(String, Arc<str>), Entry>,
}

impl RegistryState {
    /// Adds or renews an entry. Answers whether the view has changed.
    pub fn register(&mut self, registration: Registration, now: Steady) -> bool {
        let Registration {
            service,
            id,
            addr,
            weight,
            lease_ms,
        } = registration;
        let lease = Duration::from_millis(lease_ms.clamp(1, LEASE_MS_MAX));
        let key = (service, Arc::clone(&id));
        if !self.entries.contains_key(&key) && self.entries.len() >= ENDPOINTS_MAX {
            return false;
        }
        let endpoint = Endpoint { id, addr, weight };
        let until = now.plus(lease);
        let before = self.entries.insert(
            key,
            Entry {
                endpoint: endpoint.clone(),
                lease,
                until,
            },
        );
        let changed = before.is_none_or(|b| b.endpoint != endpoint);
        self.bump(changed)
    }

    /// Renews an entry's lease. Answers whether there is such an entry; if not, register again.
    pub fn renew(&mut self, service: &str, id: &str, now: Steady) -> bool {
        match self.entries.get_mut(&(service.to_owned(), Arc::from(id))) {
            Some(entry) => {
                entry.until = now.plus(entry.lease);
                true
            }
            None => false,
        }
    }

    /// Removes an entry. Answers whether the view has changed.
    pub fn deregister(&mut self, service: &str, id: &str) -> bool {
        let changed = self
            .entries
            .remove(&(service.to_owned(), Arc::from(id)))
            .is_some();
        self.bump(changed)
    }

    /// Forgets entries whose lease has ended. Answers whether the view has changed.
    pub fn expire(&mut self, now: Steady) -> bool {
        let before = self.entries.len();
        self.entries.retain(|_, entry| entry.until > now);
        let changed = self.entries.len() != before;
        self.bump(changed)
    }

    /// The version: grows with each change.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Everything that is known.
    #[must_use]
    pub fn view(&self) -> RegistryView {
        let mut services: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
        for ((service, _), entry) in &self.entries {
            services
                .entry(service.clone())
                .or_default()
                .push(entry.endpoint.clone());
        }
        RegistryView {
            version: self.version,
            services,
        }
    }

    fn bump(&mut self, changed: bool) -> bool {
        self.version += u64::from(changed);
        changed
    }
}

/// The registry as the supervisor holds it. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    state: Mutex<RegistryState>,
    version: watch::Sender<u64>,
}

impl Default for Registry {
    fn default() -> Self {
        let (state, version) = (Mutex::default(), watch::Sender::new(0));
        Self(Arc::new(Shared { state, version }))
    }
}

impl Registry {
    /// Nobody offers anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Works on the state; wakes the pollers when its version has moved.
    pub fn with<R>(&self, work: impl FnOnce(&mut RegistryState) -> R) -> R {
        let mut state = self.0.state.lock();
        let result = work(&mut state);
        let version = state.version();
        drop(state);
        self.0
            .version
            .send_if_modified(|v| std::mem::replace(v, version) != version);
        result
    }

    /// The view as soon as its version is above `after`, and in any case after `wait`.
    /// A version from before a restart of the registry (above ours) is answered at once.
    pub async fn poll(&self, after: Option<u64>, wait: Duration) -> RegistryView {
        if let Some(after) = after {
            let mut version = self.0.version.subscribe();
            let moved = version.wait_for(|v| *v != after);
            let _either = tokio::time::timeout(wait, moved).await;
        }
        self.with(|state| state.view())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(id: &str, port: u16) -> Registration {
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        Registration {
            service: "links".into(),
            id: id.into(),
            addr,
            weight: 1,
            lease_ms: 5_000,
        }
    }

    #[test]
    fn an_entry_that_is_not_renewed_is_forgotten() {
        let mut state = RegistryState::default();
        assert!(state.register(links("a", 1), Steady::from_millis(0)));
        assert!(state.register(links("b", 2), Steady::from_millis(0)));
        assert!(state.renew("links", "a", Steady::from_millis(4_000)));
        assert!(state.expire(Steady::from_millis(6_000)));
        let view = state.view();
        assert_eq!(view.version, 3);
        assert_eq!(view.services["links"].len(), 1);
        assert_eq!(&*view.services["links"][0].id, "a");
        assert!(
            !state.renew("links", "b", Steady::from_millis(6_000)),
            "b must register again"
        );
    }

    #[test]
    fn saying_the_same_again_changes_nothing() {
        let mut state = RegistryState::default();
        assert!(state.register(links("a", 1), Steady::from_millis(0)));
        assert!(!state.register(links("a", 1), Steady::from_millis(1_000)));
        assert!(
            state.register(links("a", 9), Steady::from_millis(2_000)),
            "it moved"
        );
        assert!(state.deregister("links", "a"));
        assert!(!state.deregister("links", "a"));
        assert_eq!(state.version(), 3);
    }

    #[tokio::test]
    async fn a_poll_is_answered_by_the_next_change() {
        let registry = Registry::new();
        let first = registry.poll(None, Duration::from_secs(60)).await;
        assert_eq!(first.version, 0);
        let change =
            async { registry.with(|state| state.register(links("a", 1), Steady::from_millis(0))) };
        let poll = registry.poll(Some(0), Duration::from_secs(60));
        let (view, _) = futures_util::join!(poll, change);
        assert_eq!(view.version, 1);
    }
}
