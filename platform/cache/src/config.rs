//! What a cache is told: its name, its size, how long, and on which tier.

use std::time::Duration;

use kernel::Choice;

use crate::Redis;

/// The settings of one cache.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// Its name in metrics and in Redis keys: lower case and dots, one per kind of value.
    pub name: &'static str,
    /// How many entries memory holds at most.
    pub capacity: u64,
    /// How long an entry may be served.
    pub ttl: Duration,
    /// What stands behind the memory.
    pub tier: Tier,
}

/// What becomes of those who miss the same key at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loading {
    /// One loads, the others wait for it.
    SingleFlight,
    /// Each loads for itself.
    Each,
}

impl Choice for Loading {
    const ALL: &'static [(&'static str, Self)] =
        &[("single_flight", Self::SingleFlight), ("each", Self::Each)];
}

/// What stands behind the memory of this process.
#[derive(Debug, Clone, Default)]
pub enum Tier {
    /// Nothing.
    #[default]
    Memory,
    /// A Redis (or Valkey) that replicas share.
    Redis(Redis),
}

/// The URL names no Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cache URL is not one of redis://HOST:PORT/DB: {reason}")]
pub struct TierError {
    /// What is wrong with it.
    pub reason: String,
}
