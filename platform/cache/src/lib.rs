//! A cache in memory, with Redis behind it when there is one.
//!
//! Promises: one load per key at a time, unless its caller wants otherwise; an answer that was loaded
//! before an invalidation never comes back after it; an older version never replaces a newer one;
//! Redis is never an error and never more than a few milliseconds. Whether and when to cache (not at
//! all, aside, write-through) is the service's decision.

mod config;
mod entry;
mod flight;
mod memory;
mod metrics;
mod redis;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Clock, Ctx};
use telemetry::Metrics;

pub use crate::config::{CacheConfig, Loading, Tier, TierError};
pub use crate::entry::Entry;
pub use crate::redis::{PENDING_MAX, Redis, RedisOptions, VALUE_BYTES_MAX};

use crate::flight::{Flights, Lead, Turn, Wait};
use crate::memory::{Floor, Memory};
use crate::metrics::Meters;
use crate::redis::{Found, Space};

/// A cache of `V` by text keys. Cheap to clone; clones share their content.
pub struct Cache<V>(Arc<Inner<V>>);

struct Inner<V> {
    memory: Memory<V>,
    flights: Flights<V>,
    redis: Option<Space>,
    clock: Arc<dyn Clock>,
    meters: Meters,
}

impl<V> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Entry> Cache<V> {
    /// An empty cache. Does no I/O.
    #[must_use]
    pub fn new(config: CacheConfig, ctx: &Ctx, metrics: &Metrics) -> Self {
        let meters = Meters::new(config.name, metrics);
        let redis = match &config.tier {
            Tier::Memory => None,
            Tier::Redis(redis) => Some(redis.space(config.name, config.ttl, &meters)),
        };
        Self(Arc::new(Inner {
            memory: Memory::new(config.capacity, config.ttl),
            flights: Flights::default(),
            redis,
            clock: Arc::clone(&ctx.clock),
            meters,
        }))
    }

    /// What memory holds for `key`. Never waits.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<V>> {
        let found = self.0.memory.get(key, self.0.clock.now());
        match found {
            Some(_) => self.0.meters.hits.inc(),
            None => self.0.meters.misses.inc(),
        }
        found
    }

    /// What is cached for `key`; otherwise what `load` answers, which is then cached.
    ///
    /// Of all who ask for the same key at the same time, one loads and the others wait for it.
    /// An error goes to those who waited for that load and is not kept. When the loading caller
    /// panics or is cancelled, the next of the waiting loads.
    pub async fn get_or_load<E, F, Fut>(&self, key: &str, load: F) -> Result<Arc<V>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<V, E>>,
    {
        self.get_or_load_by(Loading::SingleFlight, key, load).await
    }

    /// [`Cache::get_or_load`], with the choice of whether who misses waits for another's load.
    pub async fn get_or_load_by<E, F, Fut>(
        &self,
        loading: Loading,
        key: &str,
        load: F,
    ) -> Result<Arc<V>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<V, E>>,
    {
        if let Some(found) = self.get(key) {
            return Ok(found);
        }
        if loading == Loading::Each {
            return self.lead(key, self.0.flights.alone(key), load).await;
        }
        loop {
            match self.0.flights.join(key) {
                Turn::Lead(lead) => {
                    if let Some(found) = self.0.memory.get(key, self.0.clock.now()) {
                        lead.finish(&Ok::<_, E>(Arc::clone(&found)), || false);
                        return Ok(found);
                    }
                    return self.lead(key, lead, load).await;
                }
                Turn::Follow(follow) => {
                    self.0.meters.waits.inc();
                    match follow.outcome::<E>().await {
                        Wait::Value(value) => return Ok(value),
                        Wait::Error(error) => return Err(error),
                        Wait::Again => {}
                    }
                }
            }
        }
    }

    async fn lead<E, F, Fut>(&self, key: &str, lead: Lead<'_, V>, load: F) -> Result<Arc<V>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<V, E>>,
    {
        let inner = &*self.0;
        let found = match &inner.redis {
            Some(space) => space.read(key).await,
            None => Found::Skipped,
        };
        // What Redis held before an invalidation is of no use after it.
        if !lead.is_overtaken()
            && let Some((value, left)) = found.decode::<V>()
        {
            inner.meters.redis_hits.inc();
            let value = Arc::new(value);
            lead.finish(&Ok::<_, E>(Arc::clone(&value)), || {
                self.keep(key, &value, left)
            });
            return Ok(value);
        }
        let began = Instant::now();
        inner.meters.loads.inc();
        let result = load().await.map(Arc::new);
        inner.meters.load_seconds.observe(began.elapsed());
        let kept = match &result {
            Ok(value) => lead.finish(&result, || self.keep(key, value, Duration::MAX)),
            Err(_) => {
                inner.meters.load_errors.inc();
                lead.finish(&result, || false)
            }
        };
        if let (true, Some(space), Ok(value)) = (kept, &inner.redis, &result) {
            space.fill(key, &**value, &found, began.elapsed());
        }
        result
    }

    fn keep(&self, key: &str, value: &Arc<V>, left: Duration) -> bool {
        let kept = self
            .0
            .memory
            .put(key, Arc::clone(value), self.0.clock.now(), left);
        if !kept {
            self.0.meters.stale.inc();
        }
        kept
    }

    /// Keeps `value` for `key`, here and in Redis, unless something newer is known.
    ///
    /// For write-through: call it after the commit, with a value whose version grows with each
    /// write. Never waits: Redis is written in the background. Answers whether it was kept.
    pub fn put(&self, key: &str, value: V) -> bool {
        let value = Arc::new(value);
        if let Some(space) = &self.0.redis {
            space.put(key, &*value);
        }
        self.0
            .flights
            .supersede(key, || self.keep(key, &value, Duration::MAX))
    }

    /// Forgets `key`, here and in Redis; a load that runs now is not kept. Never waits.
    pub fn invalidate(&self, key: &str) {
        self.forget(key, Floor::Nothing);
    }

    /// Forgets what is older than `version` for `key`, here and in Redis.
    ///
    /// For announcements that may come late: what is already as new as they say stays.
    pub fn invalidate_below(&self, key: &str, version: u64) {
        self.forget(key, Floor::AtLeast(version));
    }

    fn forget(&self, key: &str, floor: Floor) {
        let inner = &*self.0;
        if let Some(space) = &inner.redis {
            space.forget(key, floor);
        }
        inner
            .flights
            .supersede(key, || inner.memory.remove_below(key, floor));
        // Afterwards, so that who reads the count finds what it counts.
        inner.meters.invalidations.inc();
    }

    /// Forgets everything, here and in Redis; loads that run now are not kept. Never waits.
    pub fn invalidate_all(&self) {
        let inner = &*self.0;
        if let Some(space) = &inner.redis {
            space.forget_all();
        }
        inner.flights.supersede_all(|| inner.memory.clear());
        inner.meters.invalidations.inc();
    }

    /// How many entries memory holds, expired ones included; approximate.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.memory.len()
    }

    /// Whether memory holds nothing; approximate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
