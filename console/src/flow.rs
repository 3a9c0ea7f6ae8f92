//! Counts of what flows: through a service, one of its routes, or along an edge; and what follows
//! from the difference of two counts.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Answers of a service.
    Service(String),
    /// Answers of one route of a service.
    Route(String, String),
    /// Calls from one service to another.
    Edge(String, String),
    /// Events of one service, applied by another.
    Events(String, String),
}

/// Totals since a process started, or their growth over a while.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) total: f64,
    pub(crate) errors: f64,
    /// Per upper bound (as the bits of a non-negative number, which sort as it does): how many
    /// were not above it.
    pub(crate) buckets: BTreeMap<u64, f64>,
}

pub(crate) type Flows = BTreeMap<Key, Counts>;

impl Counts {
    /// The growth since `before`. A count that shrank began again at zero.
    pub(crate) fn since(&self, before: &Self) -> Self {
        if self.total < before.total {
            return self.clone();
        }
        let grown = |now: f64, then: f64| if now < then { now } else { now - then };
        let buckets = self.buckets.iter().map(|(bound, &n)| {
            (
                *bound,
                grown(n, before.buckets.get(bound).copied().unwrap_or(0.0)),
            )
        });
        Self {
            total: self.total - before.total,
            errors: grown(self.errors, before.errors),
            buckets: buckets.collect(),
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.errors += other.errors;
        for (bound, n) in &other.buckets {
            *self.buckets.entry(*bound).or_default() += n;
        }
    }

    /// The time in seconds within which the share `q` was done, interpolated within its bucket.
    fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.buckets.values().copied().fold(0.0, f64::max);
        if total <= 0.0 {
            return None;
        }
        let rank = q * total;
        let (mut low, mut below) = (0.0, 0.0);
        for (&bits, &n) in &self.buckets {
            let bound = f64::from_bits(bits);
            if n >= rank && n > below {
                let share = ((rank - below) / (n - below)).clamp(0.0, 1.0);
                return Some(if bound.is_finite() {
                    low + (bound - low) * share
                } else {
                    low
                });
            }
            (low, below) = (bound, n);
        }
        Some(low)
    }

    /// What these counts mean when they grew within `seconds`.
    pub(crate) fn figures(&self, seconds: f64) -> Figures {
        let millis = |q| self.quantile(q).map(|s| rounded(s * 1e3));
        Figures {
            rate: rounded(self.total / seconds.max(0.001)),
            errors: if self.total > 0.0 {
                rounded(self.errors / self.total)
            } else {
                0.0
            },
            p50_ms: millis(0.5),
            p99_ms: millis(0.99),
        }
    }
}

/// Growth of everything between two samples of one process.
pub(crate) fn growth(now: &Flows, before: &Flows) -> Flows {
    let none = Counts::default();
    now.iter()
        .map(|(key, counts)| (key.clone(), counts.since(before.get(key).unwrap_or(&none))))
        .collect()
}

/// Rate, errors and latency over a while.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// Per second.
    pub(crate) rate: f64,
    /// The share that failed, from 0 to 1.
    pub(crate) errors: f64,
    /// Half was done within this time.
    pub(crate) p50_ms: Option<f64>,
    /// All but one in a hundred was done within this time.
    pub(crate) p99_ms: Option<f64>,
}

/// Four significant digits: what is shown, without a tail that only costs bytes.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(total: f64, errors: f64, buckets: &[(f64, f64)]) -> Counts {
        let buckets = buckets
            .iter()
            .map(|(bound, n)| (bound.to_bits(), *n))
            .collect();
        Counts {
            total,
            errors,
            buckets,
        }
    }

    #[test]
    fn figures_follow_from_the_difference_of_two_samples() {
        let before = counts(
            100.0,
            1.0,
            &[(0.001, 90.0), (0.002, 100.0), (f64::INFINITY, 100.0)],
        );
        let now = counts(
            300.0,
            11.0,
            &[(0.001, 190.0), (0.002, 299.0), (f64::INFINITY, 300.0)],
        );
        let figures = now.since(&before).figures(4.0);
        assert_eq!((figures.rate, figures.errors), (50.0, 0.05));
        assert_eq!(figures.p50_ms, Some(1.0));
        assert!(
            figures.p99_ms.is_some_and(|p| (1.9..=2.0).contains(&p)),
            "{figures:?}"
        );
    }

    #[test]
    fn a_process_that_began_again_counts_from_zero() {
        let grown = counts(5.0, 0.0, &[(0.001, 5.0)]).since(&counts(900.0, 3.0, &[(0.001, 900.0)]));
        assert_eq!(grown, counts(5.0, 0.0, &[(0.001, 5.0)]));
    }

    #[test]
    fn without_traffic_there_is_no_latency() {
        let same = counts(10.0, 0.0, &[(0.001, 10.0)]);
        let figures = same.since(&same).figures(1.0);
        assert_eq!(figures, Figures::default());
    }
}
