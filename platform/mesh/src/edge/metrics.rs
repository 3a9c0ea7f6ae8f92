//! The metric handles of one edge, made when first needed so that an idle edge shows no series.

use std::sync::OnceLock;
use std::time::Duration;

use kernel::Code;
use telemetry::{Counter, Gauge, Histogram, Metrics};

/// One cell for `ok` and one for each code.
const OUTCOMES: usize = 13;

pub(crate) struct EdgeMetrics {
    metrics: Metrics,
    caller: String,
    callee: String,
    calls: [OnceLock<Counter>; OUTCOMES],
    seconds: Histogram,
    retries: Counter,
    breaker_open: Gauge,
}

impl EdgeMetrics {
    pub(crate) fn new(metrics: &Metrics, caller: &str, callee: &str) -> Self {
        let labels = [("caller", caller), ("callee", callee)];
        Self {
            seconds: metrics.histogram("mesh_call_seconds", "How long calls took.", &labels),
            retries: metrics.counter("mesh_retries_total", "Calls that were sent again.", &labels),
            breaker_open: metrics.gauge(
                "mesh_breaker_open",
                "1 while calls are held back.",
                &labels,
            ),
            calls: [const { OnceLock::new() }; OUTCOMES],
            metrics: metrics.clone(),
            caller: caller.to_owned(),
            callee: callee.to_owned(),
        }
    }

    /// Notes a call that ended.
    pub(crate) fn ended(&self, code: Option<Code>, took: Duration) {
        self.seconds.observe(took);
        let (at, name) = match code {
            None => (0, "ok"),
            Some(code) => (code as usize + 1, code.name()),
        };
        self.calls[at].get_or_init(|| self.counter(name)).inc();
    }

    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    pub(crate) fn breaker(&self, open: bool) {
        self.breaker_open.set(i64::from(open));
    }

    fn counter(&self, code: &str) -> Counter {
        let labels = [
            ("caller", &*self.caller),
            ("callee", &*self.callee),
            ("code", code),
        ];
        self.metrics.counter(
            "mesh_calls_total",
            "Calls that have ended, by outcome.",
            &labels,
        )
    }
}
