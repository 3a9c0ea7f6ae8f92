//! What a cache counts.

use telemetry::{Counter, Histogram, Metrics};

#[derive(Clone)]
pub(crate) struct Meters {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) loads: Counter,
    pub(crate) load_errors: Counter,
    pub(crate) load_seconds: Histogram,
    pub(crate) waits: Counter,
    pub(crate) stale: Counter,
    pub(crate) invalidations: Counter,
    pub(crate) redis_hits: Counter,
    pub(crate) redis_errors: Counter,
    pub(crate) redis_refused: Counter,
    pub(crate) redis_skipped: Counter,
}

impl Meters {
    pub(crate) fn new(cache: &'static str, metrics: &Metrics) -> Self {
        let counter = |name: &'static str, help: &'static str| {
            metrics.counter(name, help, &[("cache", cache)])
        };
        Self {
            hits: counter("cache_hits_total", "Look-ups that memory answered."),
            misses: counter(
                "cache_misses_total",
                "Look-ups that memory could not answer.",
            ),
            loads: counter(
                "cache_loads_total",
                "Loads from the source behind the cache.",
            ),
            load_errors: counter("cache_load_errors_total", "Loads that failed."),
            load_seconds: metrics.histogram(
                "cache_load_seconds",
                "How long loads took.",
                &[("cache", cache)],
            ),
            waits: counter(
                "cache_waits_total",
                "Look-ups that waited for another's load.",
            ),
            stale: counter(
                "cache_stale_total",
                "Values not kept because a newer one was known.",
            ),
            invalidations: counter("cache_invalidations_total", "Invalidations asked for."),
            redis_hits: counter("cache_redis_hits_total", "Look-ups that Redis answered."),
            redis_errors: counter(
                "cache_redis_errors_total",
                "Redis calls that failed or hung.",
            ),
            redis_refused: counter(
                "cache_redis_refused_total",
                "Values that Redis refused because something newer was known.",
            ),
            redis_skipped: counter(
                "cache_redis_skipped_total",
                "Look-ups that went past Redis: it was down, busy or not up to date.",
            ),
        }
    }
}
