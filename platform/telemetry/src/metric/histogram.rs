//! A histogram with fixed buckets: powers of two and the halves between them, found without a search.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds 1, 1.5, 2, 3, 4, 6, ... 2^26 units; one more bucket takes what is larger.
pub(super) const BOUNDS: usize = 53;

/// What a histogram counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Times, from 1 us to 67 s; written in seconds.
    Micros,
    /// Plain numbers, from 1 to 67 million.
    One,
}

impl Unit {
    /// The upper bound of bucket `index`, as it is written.
    pub(super) fn bound(self, index: usize) -> f64 {
        let octave = f64::from(1_u32 << index.div_ceil(2).min(31));
        let units = if index % 2 == 1 {
            octave * 0.75
        } else {
            octave
        };
        match self {
            Self::Micros => units / 1e6,
            Self::One => units,
        }
    }

    /// The sum as it is written; kept in nanoseconds for times.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums above 2^53 lose only their last digits"
    )]
    pub(super) fn sum(self, sum: u64) -> f64 {
        match self {
            Self::Micros => sum as f64 / 1e9,
            Self::One => sum as f64,
        }
    }
}

#[derive(Debug)]
#[repr(align(64))]
struct Cells {
    unit: Unit,
    sum: AtomicU64,
    buckets: [AtomicU64; BOUNDS + 1],
}

/// How values are spread. Cheap to clone; clones share their state.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Cells>);

impl Histogram {
    pub(super) fn new(unit: Unit) -> Self {
        let buckets = [const { AtomicU64::new(0) }; BOUNDS + 1];
        Self(Arc::new(Cells {
            unit,
            sum: AtomicU64::new(0),
            buckets,
        }))
    }

    /// A histogram of times that no registry knows.
    #[must_use]
    pub fn detached() -> Self {
        Self::new(Unit::Micros)
    }

    /// Counts a time.
    pub fn observe(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.count(nanos.div_ceil(500), nanos);
    }

    /// Counts a number, for histograms made by `Metrics::distribution`.
    pub fn record(&self, value: u64) {
        self.count(value.saturating_mul(2), value);
    }

    fn count(&self, half_units: u64, amount: u64) {
        self.0.buckets[bucket(half_units)].fetch_add(1, Ordering::Relaxed);
        self.0.sum.fetch_add(amount, Ordering::Relaxed);
    }

    /// How many values were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.buckets().iter().sum()
    }

    /// The value below which the share `q` of all lies, interpolated; in seconds for times.
    /// `None` when nothing was counted.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate, as any quantile of buckets is"
    )]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let buckets = self.buckets();
        let total: u64 = buckets.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = q.clamp(0.0, 1.0) * total as f64;
        let mut below = 0_u64;
        for (index, &n) in buckets.iter().enumerate().take(BOUNDS) {
            if n > 0 && (below + n) as f64 >= rank {
                let low = if index == 0 {
                    0.0
                } else {
                    self.0.unit.bound(index - 1)
                };
                let share = ((rank - below as f64) / n as f64).clamp(0.0, 1.0);
                return Some(low + (self.0.unit.bound(index) - low) * share);
            }
            below += n;
        }
        Some(self.0.unit.bound(BOUNDS - 1))
    }

    pub(super) fn unit(&self) -> Unit {
        self.0.unit
    }

    pub(super) fn buckets(&self) -> [u64; BOUNDS + 1] {
        std::array::from_fn(|i| self.0.buckets[i].load(Ordering::Relaxed))
    }

    pub(super) fn sum(&self) -> f64 {
        self.0.unit.sum(self.0.sum.load(Ordering::Relaxed))
    }
}

/// The bucket of a value given in halves of the unit: the first whose bound is not below it.
fn bucket(half_units: u64) -> usize {
    if half_units <= 2 {
        return 0;
    }
    let top = half_units - 1;
    let octave = top.ilog2();
    let upper_half = (top >> (octave - 1)) & 1;
    let index = 2 * (octave as usize - 1) + upper_half as usize + 1;
    index.min(BOUNDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_first_bucket_whose_bound_is_not_below_it() {
        for half_units in (0..5_000_u64).chain([1 << 27, (1 << 27) + 1, u64::MAX]) {
            #[expect(clippy::cast_precision_loss, reason = "the test's numbers are small")]
            let value = half_units as f64 / 2.0;
            let expected = (0..BOUNDS)
                .find(|&i| value <= Unit::One.bound(i))
                .unwrap_or(BOUNDS);
            assert_eq!(bucket(half_units), expected, "value {value}");
        }
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let histogram = Histogram::detached();
        assert_eq!(histogram.quantile(0.5), None);
        for _ in 0..99 {
            histogram.observe(Duration::from_micros(100));
        }
        histogram.observe(Duration::from_millis(800));
        let p50 = histogram.quantile(0.5).expect("there are values");
        assert!((0.000_096..=0.000_128).contains(&p50), "{p50}");
        let p100 = histogram.quantile(1.0).expect("there are values");
        assert!((0.78..=1.05).contains(&p100), "{p100}");
    }
}
