//! What links count about themselves.

use telemetry::{Counter, Gauge, Histogram, Metrics};

/// The counters of links. Each is a handle; counting costs a few nanoseconds.
pub(crate) struct Meters {
    pub(crate) redirected: Counter,
    pub(crate) gone: Counter,
    pub(crate) unknown: Counter,
    pub(crate) disabled: Counter,
    pub(crate) locked: Counter,
    pub(crate) preview: Counter,
    pub(crate) throttled: Counter,
    pub(crate) failed: Counter,
    pub(crate) imported: Counter,
    pub(crate) taken: Counter,
}

impl Meters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let outcome = |outcome: &str| {
            let help = "Visits by what became of them.";
            metrics.counter("links_visits_total", help, &[("outcome", outcome)])
        };
        Self {
            redirected: outcome("redirected"),
            gone: outcome("gone"),
            unknown: outcome("unknown"),
            disabled: outcome("disabled"),
            locked: outcome("password"),
            preview: outcome("preview"),
            throttled: outcome("throttled"),
            failed: outcome("failed"),
            taken: metrics.counter(
                "links_code_collisions_total",
                "Codes that were made for a link and were taken.",
                &[],
            ),
            imported: metrics.counter("links_imported_total", "Links made by imports.", &[]),
        }
    }
}

/// What the recorder of clicks counts. `recorded` minus `committed` waits in memory.
pub(crate) struct ClickMeters {
    pub(crate) recorded: Counter,
    pub(crate) committed: Counter,
    pub(crate) dropped: Counter,
    pub(crate) held: Counter,
    pub(crate) again: Counter,
    pub(crate) commit_seconds: Histogram,
    pub(crate) group_clicks: Histogram,
    pub(crate) failures: Counter,
    pub(crate) waiting: Gauge,
}

impl ClickMeters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let counter = |name: &str, help: &str| metrics.counter(name, help, &[]);
        Self {
            recorded: counter(
                "links_clicks_recorded_total",
                "Visits taken into the buffer.",
            ),
            committed: counter(
                "links_clicks_committed_total",
                "Visits written to the store.",
            ),
            dropped: counter(
                "links_clicks_dropped_total",
                "Visits that were answered and not counted, because the buffer was full.",
            ),
            held: counter(
                "links_clicks_held_total",
                "Visits that waited for room in the buffer.",
            ),
            again: counter(
                "links_clicks_again_total",
                "Visits that were asked again here, after another replica broke off.",
            ),
            failures: counter(
                "links_click_commit_failures_total",
                "Groups that had to be tried again.",
            ),
            commit_seconds: metrics.histogram(
                "links_click_commit_seconds",
                "How long the commit of a group takes.",
                &[],
            ),
            group_clicks: metrics.distribution("links_click_group_size", "Visits in a group.", &[]),
            waiting: metrics.gauge(
                "links_clicks_waiting",
                "Visits of the group being written.",
                &[],
            ),
        }
    }
}

/// What the fold counts.
pub(crate) struct FoldMeters {
    pub(crate) folded: Counter,
    pub(crate) seconds: Histogram,
    pub(crate) failures: Counter,
}

impl FoldMeters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let counter = |name: &str, help: &str| metrics.counter(name, help, &[]);
        Self {
            folded: counter(
                "links_clicks_folded_total",
                "Visits summed up by this process.",
            ),
            seconds: metrics.histogram("links_fold_seconds", "How long a fold takes.", &[]),
            failures: counter(
                "links_fold_failures_total",
                "Folds that had to be tried again.",
            ),
        }
    }
}
