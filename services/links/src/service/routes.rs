//! From host and code to a route: the cache, the store behind it, and what makes it forget.

use std::sync::Arc;

use cache::{Cache, Loading};
use kernel::Timestamp;
use storage::{Db, Tx};
use telemetry::{Counter, Metrics};

use super::compiled::{Compiled, Ready, key, version};
use super::hot::Hot;
use super::{CachePolicy, Choices};
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

/// How a code is looked up, as the knobs stand now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup {
    policy: CachePolicy,
    loading: Loading,
    now: Timestamp,
}

impl Lookup {
    pub(crate) fn at(now: Timestamp, choices: &Choices) -> Self {
        Self {
            policy: choices.cache.get(),
            loading: choices.loading.get(),
            now,
        }
    }
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
    hot: Hot,
    cache: Cache<Compiled>,
    /// Look-ups that memory could not answer.
    store_reads: Counter,
}

impl Routes {
    pub(crate) fn new(db: Db, hot: Hot, cache: Cache<Compiled>, metrics: &Metrics) -> Self {
        let help = "Look-ups of a route that the store had to answer.";
        Self {
            db,
            hot,
            cache,
            store_reads: metrics.counter("links_store_reads_total", help, &[]),
        }
    }

    /// The redirect of a key, if it is known without asking anybody and decided by nothing but the
    /// clock. Never waits.
    pub(crate) fn ready(&self, key: &str, now: Timestamp) -> Option<Ready> {
        if let Some(ready) = self.hot.ready(key, now) {
            return ready;
        }
        let since = self.hot.since();
        let found = self.cache.get(key)?;
        self.hot.put(&found, now, since);
        found.ready(now)
    }

    /// The route of a code, from memory or the store.
    pub(crate) async fn find(
        &self,
        domain: &str,
        code: &str,
        how: Lookup,
    ) -> Result<Arc<Compiled>, Miss> {
        let load = || self.load(domain.to_owned(), code.to_owned());
        if how.policy == CachePolicy::None {
            return load().await.map(Arc::new);
        }
        let (key, now) = (key(domain, code), how.now);
        if let Some(found) = self.hot.get(&key, now) {
            return Ok(found);
        }
        let since = self.hot.since();
        let found = self.cache.get_or_load_by(how.loading, &key, load).await?;
        self.hot.put(&found, now, since);
        Ok(found)
    }

    async fn load(&self, domain: String, code: String) -> Result<Compiled, Miss> {
        self.store_reads.inc();
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
            let before = key(domain, code);
            self.cache.invalidate(&before);
            self.hot.forget(&before);
        }
        let key = key(&event.domain, &event.code);
        if removed {
            self.cache.invalidate(&key);
        } else {
            self.cache
                .invalidate_below(&key, version(event.num, event.version));
        }
        // After the cache, so that nothing old can come back out of it.
        self.hot.forget(&key);
    }
}
