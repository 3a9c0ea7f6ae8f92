//! What a database counts: transactions, groups, commits, and how long each waited.

use telemetry::{Counter, Gauge, Histogram, Metrics};

use crate::Dialect;

/// The handles of one database.
pub(crate) struct StorageMetrics {
    /// Transactions that were committed.
    pub(crate) committed: Counter,
    /// Transactions that were rolled back because the closure said so or a statement failed.
    pub(crate) rolled_back: Counter,
    /// Transactions that were run again.
    pub(crate) retried: Counter,
    /// Commits: on SQLite, groups.
    pub(crate) commits: Counter,
    /// SQLite: how many transactions shared a commit.
    pub(crate) group: Histogram,
    /// Writes that wait or run.
    pub(crate) in_flight: Gauge,
    /// How long a commit took.
    pub(crate) commit_time: Histogram,
    /// How long a write took from the call to the answer.
    pub(crate) write_time: Histogram,
}

impl StorageMetrics {
    pub(crate) fn new(metrics: Option<&Metrics>, dialect: Dialect, schema: &str) -> Self {
        let own;
        let metrics = match metrics {
            Some(metrics) => metrics,
            None => {
                own = Metrics::new();
                &own
            }
        };
        let with = |more: &[(&'static str, &'static str)]| {
            let mut labels = vec![("store", schema), ("engine", dialect.name())];
            labels.extend_from_slice(more);
            labels
        };
        let total = |outcome| {
            let help = "Transactions by outcome.";
            metrics.counter("storage_tx_total", help, &with(&[("outcome", outcome)]))
        };
        let time = |name, help| metrics.histogram(name, help, &with(&[]));
        Self {
            committed: total("committed"),
            rolled_back: total("rolled_back"),
            retried: total("retried"),
            commits: metrics.counter("storage_commits_total", "Commits.", &with(&[])),
            group: metrics.distribution(
                "storage_group_size",
                "Transactions that shared a commit.",
                &with(&[]),
            ),
            in_flight: metrics.gauge("storage_tx_in_flight", "Writes under way.", &with(&[])),
            commit_time: time("storage_commit_seconds", "How long a commit took."),
            write_time: time(
                "storage_write_seconds",
                "From the call of a write to its answer.",
            ),
        }
    }
}
