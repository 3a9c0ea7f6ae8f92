//! Access log lines and the RED metrics (rate, errors, duration), with handles made once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Uri};
use telemetry::{Counter, Histogram, Metrics};

use crate::RequestId;

/// Rate, errors and durations of one class of routes. Cheap to clone.
#[derive(Clone)]
pub struct Red(Arc<Handles>);

struct Handles {
    /// By the first digit of the status: 1xx to 5xx.
    answers: [Counter; 5],
    seconds: Histogram,
}

impl Red {
    /// The handles of the route class `route` of `service`.
    #[must_use]
    pub fn new(metrics: &Metrics, service: &str, route: &str) -> Self {
        Self::counted(
            metrics,
            ("http", "HTTP requests answered"),
            (service, "route", route),
        )
    }

    /// The handles of the operation `operation` of the API of `service`, such as `GET /api/links/{id}`.
    #[must_use]
    pub fn of_operation(metrics: &Metrics, service: &str, operation: &str) -> Self {
        let what = ("api", "Requests of an operation of the API answered");
        Self::counted(metrics, what, (service, "operation", operation))
    }

    fn counted(
        metrics: &Metrics,
        (prefix, help): (&str, &str),
        (service, kind, name): (&str, &str, &str),
    ) -> Self {
        let total = format!("{prefix}_requests_total");
        let answers = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|status| {
            let labels = [("service", service), (kind, name), ("status", status)];
            metrics.counter(&total, help, &labels)
        });
        let seconds = metrics.histogram(
            &format!("{prefix}_request_duration_seconds"),
            "Time from the head of a request to the head of its answer",
            &[("service", service), (kind, name)],
        );
        Self(Arc::new(Handles { answers, seconds }))
    }

    /// Counts one answer.
    pub fn observe(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.0.answers[class].inc();
        self.0.seconds.observe(took);
    }
}

impl Default for Red {
    /// Handles that belong to no registry.
    fn default() -> Self {
        Self(Arc::new(Handles {
            answers: std::array::from_fn(|_| Counter::detached()),
            seconds: Histogram::detached(),
        }))
    }
}

/// How many failures are logged in one second at most.
const FAILURES_PER_SECOND_MAX: u64 = 50;

/// Which requests get a log line. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AccessLog {
    one_in: u64,
    failures: Arc<Failures>,
}

#[derive(Debug)]
struct Failures {
    since: Instant,
    /// The second in the high half, the failures logged in it in the low half.
    logged: AtomicU64,
}

impl AccessLog {
    /// Logs one in `one_in` requests (0: none), and failures of ours, at most 50 a second.
    #[must_use]
    pub fn sampled(one_in: u32) -> Self {
        let failures = Failures {
            since: Instant::now(),
            logged: AtomicU64::new(0),
        };
        Self {
            one_in: u64::from(one_in),
            failures: Arc::new(failures),
        }
    }

    pub(crate) fn note(
        &self,
        method: &Method,
        uri: &Uri,
        status: StatusCode,
        took: Duration,
        id: &RequestId,
    ) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if status.is_server_error() {
            if self.failures.may_log() {
                tracing::warn!(target: "access", %method, path = uri.path(), status = status.as_u16(),
                    micros, request_id = %id, "failed");
            }
        } else if self.one_in > 0 && id.sample().is_multiple_of(self.one_in) {
            tracing::info!(target: "access", %method, path = uri.path(), status = status.as_u16(),
                micros, request_id = %id, "answered");
        }
    }
}

impl Failures {
    fn may_log(&self) -> bool {
        let second = self.since.elapsed().as_secs() << 32;
        let before = self.logged.fetch_max(second, Ordering::Relaxed).max(second);
        before - second < FAILURES_PER_SECOND_MAX
            && self.logged.fetch_add(1, Ordering::Relaxed) - second < FAILURES_PER_SECOND_MAX
    }
}

impl Default for AccessLog {
    fn default() -> Self {
        Self::sampled(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_logged_up_to_a_bound() {
        let log = AccessLog::sampled(0);
        let logged = (0..1_000).filter(|_| log.failures.may_log()).count() as u64;
        assert!(
            (FAILURES_PER_SECOND_MAX..=2 * FAILURES_PER_SECOND_MAX).contains(&logged),
            "{logged}"
        );
    }

    #[test]
    fn answers_are_counted_by_class() {
        let metrics = Metrics::new();
        let red = Red::new(&metrics, "demo", "all");
        red.observe(StatusCode::FOUND, Duration::from_millis(2));
        red.observe(StatusCode::BAD_GATEWAY, Duration::from_millis(2));
        assert_eq!(red.0.answers.each_ref().map(Counter::get), [0, 0, 1, 0, 1]);
        assert_eq!(red.0.seconds.total(), 2);
    }
}
