//! The second tier: a Redis that replicas share, and that nobody ever has to wait for.
//!
//! Reads are bounded to a few milliseconds and stop after a few failures; a background task
//! connects again and tells Redis what changed meanwhile before anyone reads from it. Writes never
//! wait: they go through [`pending`].
//!
//! What a Redis holds is believed only under the run of the server (`run_id`) that it was written
//! under. One that was started again from its disk, or stands in for another, may lack the last
//! changes, so whoever connects first begins a new epoch: the shared cache is empty once, and not
//! after each start of a process. Two things are not seen by this, and bounded by the time to live
//! alone: a server that comes back into use as it was while another stood in for it, and a change
//! that every process took to its grave. For the latter, let the listener that invalidates hear again
//! what was published within the time to live (`bus::Consumer::hearing_again`); a new epoch at each
//! start would do the same, but would empty the cache for all replicas whenever one starts.

mod link;
mod pending;
mod scripts;
mod space;

use std::sync::Arc;
use std::time::Duration;

use kernel::Tasks;
use telemetry::Metrics;

use crate::TierError;
use crate::metrics::Meters;
use link::Link;
pub(crate) use space::{Found, Space};

/// Changes that may wait for Redis, per cache; beyond it the whole cache is forgotten in Redis.
pub const PENDING_MAX: usize = 10_000;
/// Larger values (in bytes) stay in memory alone.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;

const PENDING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A load that took longer is not filled in; see [`scripts`].
const LOAD_MAX: Duration = Duration::from_secs(30);
const TOKEN_MS: u64 = 60_000;

/// How patient to be with Redis.
#[derive(Debug, Clone, Copy)]
pub struct RedisOptions {
    /// How long a look-up may wait.
    pub read_timeout: Duration,
    /// How many look-ups may wait at once; more go past Redis.
    pub reads_max: usize,
    /// After how many failures in a row nobody waits any more, until a new connection works.
    pub failures_max: u32,
    /// How long a connection attempt, or a batch of changes, may take in the background.
    pub background_timeout: Duration,
    /// The pause between connection attempts; it doubles up to ten times this.
    pub reconnect_pause: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            read_timeout: Duration::from_millis(5),
            reads_max: 256,
            failures_max: 3,
            background_timeout: Duration::from_millis(500),
            reconnect_pause: Duration::from_millis(100),
        }
    }
}

/// One process's way to Redis, shared by its caches: one multiplexed connection. Cheap to clone.
#[derive(Clone)]
pub struct Redis(Arc<Link>);

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis")
            .field("up", &self.is_up())
            .finish_non_exhaustive()
    }
}

impl Redis {
    /// Reads `url` and starts to connect in the background. Fails only when the URL is wrong;
    /// must be called within a tokio runtime.
    pub fn open(
        url: &str,
        options: RedisOptions,
        metrics: &Metrics,
        tasks: &Tasks,
    ) -> Result<Self, TierError> {
        let client = redis::Client::open(url).map_err(|e| TierError {
            reason: e.to_string(),
        })?;
        let up = metrics.gauge("cache_redis_up", "Whether Redis is in use.", &[]);
        let link = Arc::new(Link::new(client, options, up));
        tasks.spawn(link::run(Arc::clone(&link), tasks.clone()));
        Ok(Self(link))
    }

    /// Whether Redis is in use right now; without it the caches work from memory.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.0.connection().is_some()
    }

    pub(crate) fn space(&self, name: &'static str, ttl: Duration, meters: &Meters) -> Space {
        Space::new(Arc::clone(&self.0), name, ttl, meters.clone())
    }
}
