//! Counters, gauges and histograms with a bounded number of series, written as Prometheus text.
//!
//! A handle is made once and kept by its user; using it is one or two relaxed atomic additions.

mod histogram;
mod registry;
mod render;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub use histogram::Histogram;
pub use registry::{Metrics, SERIES_MAX};
pub use render::Collected;

/// Alone on its cache line, so that two busy counters do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Padded<T>(T);

/// A number that only grows. Cheap to clone; clones share their value.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<Padded<AtomicU64>>);

impl Counter {
    /// A counter that no registry knows.
    #[must_use]
    pub fn detached() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down. Cheap to clone; clones share their value.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<Padded<AtomicI64>>);

impl Gauge {
    /// A gauge that no registry knows.
    #[must_use]
    pub fn detached() -> Self {
        Self::default()
    }

    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.0.store(value, Ordering::Relaxed);
    }

    /// Adds `n`, which may be negative.
    pub fn add(&self, n: i64) {
        self.0.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Adds one until the answer is dropped: for things in flight, also when they are cancelled.
    #[must_use]
    pub fn enter(&self) -> InFlight {
        self.add(1);
        InFlight(self.clone())
    }
}

/// Takes one off its gauge when dropped.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}
