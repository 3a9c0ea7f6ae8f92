//! From host and code to a route: the cache, the store behind it, and what makes it forget.

use std::sync::Arc;

use cache::Cache;
use storage::{Db, Tx};

use super::CachePolicy;
use super::compiled::{Compiled, version};
use crate::domain::route::Route;
use crate::store::links;
use crate::store::outbox::LinkEvent;

/// A link that a transaction made, changed or removed.
#[derive(Debug, Clone)]
pub(crate) struct Touched {
    /// What happened to it.
    pub(crate) event: LinkEvent,
    /// How it leads now, unless it was removed.
    pub(crate) now: Option<Route>,
}

/// No link has this code, or the store did not say.
#[derive(Debug, Clone)]
pub(crate) enum Miss {
    /// No link has it.
    Unknown,
    /// The store failed.
    Store(storage::Error),
}

/// From host and code to a route.
pub(crate) struct Routes {
    db: Db,
    cache: Cache<Compiled>,
}

/// The key of a code on a domain; on the default one that is the path.
pub(crate) fn key(domain: &str, code: &str) -> String {
    format!("{domain}/{code}")
}

impl Routes {
    pub(crate) const fn new(db: Db, cache: Cache<Compiled>) -> Self {
        Self { db, cache }
    }

    /// What is cached for a key. Never waits.
    pub(crate) fn cached(&self, key: &str) -> Option<Arc<Compiled>> {
        self.cache.get(key)
    }

    /// The route of a code, from the cache or the store.
    pub(crate) async fn find(
        &self,
        domain: &str,
        code: &str,
        policy: CachePolicy,
    ) -> Result<Arc<Compiled>, Miss> {
        let load = || self.load(domain.to_owned(), code.to_owned());
        match policy {
            CachePolicy::None => load().await.map(Arc::new),
            CachePolicy::Aside | CachePolicy::WriteThrough => {
                self.cache.get_or_load(&key(domain, code), load).await
            }
        }
    }

    async fn load(&self, domain: String, code: String) -> Result<Compiled, Miss> {
        let read = async move |tx: &mut Tx<'_>| links::route(tx, &domain, &code).await;
        match self.db.read::<_, storage::Error, _>(read).await {
            Ok(Some(route)) => Ok(Compiled::from(route)),
            Ok(None) => Err(Miss::Unknown),
            Err(error) => Err(Miss::Store(error)),
        }
    }

    /// Takes in what a transaction of this process did.
    pub(crate) fn touched(&self, touched: &[Touched], policy: CachePolicy) {
        for one in touched {
            self.heard(&one.event, one.now.is_none());
            if let (CachePolicy::WriteThrough, Some(route)) = (policy, &one.now) {
                let key = key(&one.event.domain, &one.event.code);
                self.cache.put(&key, Compiled::from(route.clone()));
            }
        }
    }

    /// Takes in what any replica did.
    pub(crate) fn heard(&self, event: &LinkEvent, removed: bool) {
        if let Some((domain, code)) = &event.before {
            self.cache.invalidate(&key(domain, code));
        }
        let key = key(&event.domain, &event.code);
        if removed {
            self.cache.invalidate(&key);
        } else {
            self.cache
                .invalidate_below(&key, version(event.num, event.version));
        }
    }
}
