//! What a person may configure, the design choices, and how both become a service.

use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig};
use kernel::Knobs;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Deps;
use crate::service::hosts::Hosts;
use crate::service::hot::Hot;
use crate::service::meters::Meters;
use crate::service::passes::Passes;
use crate::service::recorder::Recorder;
use crate::service::routes::Routes;
use crate::service::throttle::Throttle;
use crate::service::{Choices, Service};

/// What a person may configure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Scheme, host and port that short URLs of the default domain begin with, such as
    /// `https://go.example.com`; the address that the caller used if absent.
    pub public_base: Option<Url>,
    /// Where the bare address of the default domain leads; a page that says that nothing is there if
    /// absent.
    pub root_url: Option<String>,
    /// How many characters a made code has: 5 to 32.
    pub code_length: usize,
    /// How many links the memory of a replica holds.
    pub cache_entries: u64,
    /// How long a link is served from the cache, in seconds, if no edit is heard of.
    pub cache_seconds: u64,
    /// How many clicks wait in memory at most.
    pub click_buffer: usize,
    /// How often clicks are committed, in milliseconds: what is lost when the power fails.
    pub click_group_ms: u64,
    /// How many unknown codes a network (one IPv4 address, or 64 bits of IPv6) may ask for within a
    /// window.
    pub guess_limit: u32,
    /// How long that window is, in seconds.
    pub guess_window_seconds: u64,
    /// How long an idempotency key is remembered, in hours.
    pub idempotency_hours: u32,
    /// How long nobody folds clicks after a replica has died while it did, in seconds.
    pub fold_lease_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_base: None,
            root_url: None,
            code_length: crate::domain::code::LENGTH,
            cache_entries: 200_000,
            cache_seconds: 600,
            click_buffer: 1_000_000,
            click_group_ms: 10,
            guess_limit: 1_000,
            guess_window_seconds: 60,
            idempotency_hours: 24,
            fold_lease_seconds: 30,
        }
    }
}

impl Config {
    /// The same within the bounds.
    fn bounded(mut self) -> Self {
        self.code_length = self.code_length.clamp(5, 32);
        self.click_group_ms = self.click_group_ms.clamp(1, 1_000);
        self.fold_lease_seconds = self.fold_lease_seconds.clamp(1, 3_600);
        self.guess_window_seconds = self.guess_window_seconds.clamp(1, 86_400);
        self
    }
}

/// Declares the design choices.
pub(crate) fn knobs() -> (Knobs, Choices) {
    let (knobs, cache) = Knobs::none().declare(
        "cache",
        "aside serves redirects from memory and forgets on edit; none reads the store each time; \
         write_through fills the memory on each write, for links that are visited at once",
    );
    let (knobs, loading) = knobs.declare(
        "loading",
        "single_flight asks the store once for all who miss the same link, who wait for it; each \
         lets every miss ask, which waits for nobody and floods the store when a busy link expires",
    );
    let (knobs, ids) = knobs.declare(
        "ids",
        "random cannot be guessed; counter is the shortest and tells how many links there are; \
         hash gives the same target the same code, and tells whether it was shortened",
    );
    let (knobs, clicks) = knobs.declare(
        "clicks",
        "grouped answers first and loses at most one group with the power; durable answers after \
         the commit and loses none; lossy commits once a second and drops when there are too many",
    );
    let (knobs, commits) = knobs.declare(
        "commits",
        "grouped lets transactions that wait at the same time share one sync to disk; single gives \
         each its own, as PostgreSQL always does: there it changes nothing",
    );
    let choices = Choices {
        cache,
        loading,
        ids,
        clicks,
        commits,
    };
    (knobs, choices)
}

/// Puts the use cases together.
pub(crate) fn service(config: Config, deps: Deps, choices: Choices) -> Service {
    let config = config.bounded();
    let Deps {
        ctx,
        db,
        tier,
        telemetry,
    } = deps;
    db.commit_by(choices.commits.clone());
    let metrics = &telemetry.metrics;
    let cache = CacheConfig {
        name: "links.routes",
        capacity: config.cache_entries,
        ttl: Duration::from_secs(config.cache_seconds),
        tier,
    };
    let window = Duration::from_secs(config.guess_window_seconds);
    Service {
        hosts: Hosts::new(db.clone(), config.public_base.clone()),
        routes: Routes::new(
            db.clone(),
            Hot::new(config.cache_entries, config.cache_seconds),
            Cache::new(cache, &ctx, metrics),
            metrics,
        ),
        recorder: Arc::new(Recorder::new(
            db.clone(),
            &ctx,
            metrics,
            config.click_buffer,
        )),
        passes: Passes::new(db.clone(), ctx.clone()),
        throttle: Throttle::new(config.guess_limit, window),
        meters: Meters::new(metrics),
        metrics: metrics.clone(),
        choices,
        config,
        ctx,
        db,
    }
}
