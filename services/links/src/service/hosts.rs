//! Which hosts there are: the default domain, and the custom ones that the store knows.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use contracts::links::Domain;
use storage::{Db, Tx};
use url::Url;

use super::call::Call;
use crate::domain::draft::Rooms;
use crate::domain::host::{self, OwnHosts};
use crate::store::domains;

/// The custom domains by host.
#[derive(Debug, Default)]
pub(crate) struct DomainSet(HashMap<String, Domain>);

impl DomainSet {
    /// The custom domain that a `Host` header names.
    pub(crate) fn find(&self, header: &str) -> Option<&Domain> {
        if self.0.is_empty() {
            return None;
        }
        let bare = host::of_header(header);
        match self.0.get(bare) {
            Some(found) => Some(found),
            None if bare.bytes().any(|b| b.is_ascii_uppercase()) => {
                self.0.get(&bare.to_ascii_lowercase())
            }
            None => None,
        }
    }
}

/// Which hosts there are.
pub(crate) struct Hosts {
    db: Db,
    /// Scheme, host and port of the default domain, if they are configured.
    base: Option<Url>,
    known: ArcSwapOption<DomainSet>,
    /// Grows with each change, so that a list read before one is not kept after it.
    changes: AtomicU64,
}

impl Hosts {
    pub(crate) fn new(db: Db, base: Option<Url>) -> Self {
        Self {
            db,
            base,
            known: ArcSwapOption::empty(),
            changes: AtomicU64::new(0),
        }
    }

    /// The custom domains, if they are known already.
    pub(crate) fn known(&self) -> arc_swap::Guard<Option<Arc<DomainSet>>> {
        self.known.load()
    }

    /// The custom domains.
    pub(crate) async fn load(&self) -> Result<Arc<DomainSet>, storage::Error> {
        if let Some(known) = self.known.load_full() {
            return Ok(known);
        }
        let before = self.changes.load(Ordering::Acquire);
        let read = async move |tx: &mut Tx<'_>| domains::list(tx).await;
        let list = self.db.read::<_, storage::Error, _>(read).await?;
        let set = DomainSet(list.into_iter().map(|d| (d.host.clone(), d)).collect());
        let set = Arc::new(set);
        if self.changes.load(Ordering::Acquire) == before {
            self.known.store(Some(Arc::clone(&set)));
            // A change between the two lines above must not be lost.
            if self.changes.load(Ordering::Acquire) != before {
                self.known.store(None);
            }
        }
        Ok(set)
    }

    /// Forgets the custom domains: one of them was changed.
    pub(crate) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.known.store(None);
    }

    /// What checks of a request need to know.
    pub(crate) async fn rooms(&self, call: &Call) -> Result<Rooms, storage::Error> {
        let set = self.load().await?;
        let mut own = OwnHosts::default();
        if let Some(base) = &self.base {
            own.add(authority(base).as_str());
        }
        if let Some(origin) = call.origin.as_deref().and_then(|o| Url::parse(o).ok()) {
            own.add(authority(&origin).as_str());
        }
        set.0.keys().for_each(|host| own.add(host));
        Ok(Rooms {
            own,
            domains: set.0.keys().cloned().collect(),
        })
    }

    /// What is given to people.
    pub(crate) fn short_url(&self, call: &Call, domain: Option<&str>, code: &str) -> String {
        let origin = || call.origin.as_deref().and_then(|o| Url::parse(o).ok());
        let base = self.base.clone().or_else(origin);
        let (scheme, default, port) = match &base {
            Some(base) => (
                base.scheme(),
                base.host_str().unwrap_or("localhost"),
                base.port(),
            ),
            None => ("http", "localhost", None),
        };
        let host = domain.unwrap_or(default);
        match port {
            Some(port) => format!("{scheme}://{host}:{port}/{code}"),
            None => format!("{scheme}://{host}/{code}"),
        }
    }

    /// Whether visitors come over TLS, so that cookies may insist on it.
    pub(crate) fn is_secure(&self) -> bool {
        self.base
            .as_ref()
            .is_some_and(|base| base.scheme() == "https")
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
