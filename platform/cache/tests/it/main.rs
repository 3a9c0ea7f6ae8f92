//! The cache from outside: single flight, staleness, and a Redis that comes and goes.

mod memory;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig, Entry, Tier};
use kernel::{Ctx, ManualClock, SeededRandom, Timestamp};
use serde::{Deserialize, Serialize};
use telemetry::Metrics;

/// A value with a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Page {
    text: String,
    version: u64,
}

impl Page {
    fn new(text: &str, version: u64) -> Self {
        Self {
            text: text.to_owned(),
            version,
        }
    }
}

impl Entry for Page {
    fn version(&self) -> u64 {
        self.version
    }
}

/// The source behind the cache could not answer.
#[derive(Debug, Clone, PartialEq)]
struct Down;

fn config(tier: Tier) -> CacheConfig {
    CacheConfig {
        name: "pages",
        capacity: 10_000,
        ttl: Duration::from_secs(60),
        tier,
    }
}

fn in_memory() -> Cache<Page> {
    Cache::new(config(Tier::Memory), &Ctx::system(), &Metrics::new())
}

fn clock() -> (Arc<ManualClock>, Ctx) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
    (
        clock.clone(),
        Ctx {
            clock,
            random: Arc::new(SeededRandom::new(1)),
        },
    )
}
