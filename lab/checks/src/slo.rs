//! Bounds on what was measured, and the refusal of a bound that says nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::goodput::Second;
use crate::verdict::{Counterexample, Finding, Verdict};

/// Between which values a metric lies, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// The least value that it can have; minus infinity for none.
    pub least: f64,
    /// The greatest value that it can have; infinity for none.
    pub most: f64,
}

impl Domain {
    /// Rates, ratios and availability.
    pub const SHARE: Self = Self {
        least: 0.0,
        most: 1.0,
    };
    /// Latencies, counts, bytes.
    pub const POSITIVE: Self = Self {
        least: 0.0,
        most: f64::INFINITY,
    };
    /// Differences.
    pub const ANY: Self = Self {
        least: f64::NEG_INFINITY,
        most: f64::INFINITY,
    };
}

/// On which side of its bound a metric must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The bound or less.
    AtMost,
    /// The bound or more.
    AtLeast,
}

impl Comparison {
    /// Whether a metric of this domain can be on the wrong side.
    #[must_use]
    pub fn can_fail(self, bound: f64, domain: Domain) -> bool {
        match self {
            Self::AtMost => domain.most > bound,
            Self::AtLeast => domain.least < bound,
        }
    }

    /// Whether a metric of this domain can be on the right side.
    #[must_use]
    pub fn can_hold(self, bound: f64, domain: Domain) -> bool {
        match self {
            Self::AtMost => domain.least <= bound,
            Self::AtLeast => domain.most >= bound,
        }
    }

    fn holds(self, measured: f64, bound: f64) -> bool {
        match self {
            Self::AtMost => measured <= bound,
            Self::AtLeast => measured >= bound,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtMost => "at most",
            Self::AtLeast => "at least",
        })
    }
}

/// Why a bound is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SloError {
    /// Whatever is measured, it holds.
    #[error(
        "{metric} is always {comparison} {bound}, so this check can never fail: it lies between \
         {} and {}; choose a bound inside", domain.least, domain.most
    )]
    NeverFails {
        /// Of what.
        metric: String,
        /// As asked.
        comparison: Comparison,
        /// As asked.
        bound: f64,
        /// What the metric can be.
        domain: Domain,
    },
    /// Whatever is measured, it fails.
    #[error(
        "{metric} is never {comparison} {bound}, so this check can never hold: it lies between \
         {} and {}; choose a bound inside", domain.least, domain.most
    )]
    NeverHolds {
        /// Of what.
        metric: String,
        /// As asked.
        comparison: Comparison,
        /// As asked.
        bound: f64,
        /// What the metric can be.
        domain: Domain,
    },
    /// Not a number.
    #[error("the bound of {metric} is not a number: give one")]
    NotANumber {
        /// Of what.
        metric: String,
    },
}

/// A bound on a metric, which can hold and can fail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slo {
    metric: String,
    comparison: Comparison,
    bound: f64,
}

impl Slo {
    /// A bound on a metric of this domain.
    ///
    /// # Errors
    /// [`SloError`] when nothing that can be measured breaks it, or nothing meets it.
    pub fn new(
        metric: &str,
        comparison: Comparison,
        bound: f64,
        domain: Domain,
    ) -> Result<Self, SloError> {
        let metric = metric.to_owned();
        if bound.is_nan() {
            return Err(SloError::NotANumber { metric });
        }
        if !comparison.can_fail(bound, domain) {
            return Err(SloError::NeverFails {
                metric,
                comparison,
                bound,
                domain,
            });
        }
        if !comparison.can_hold(bound, domain) {
            return Err(SloError::NeverHolds {
                metric,
                comparison,
                bound,
                domain,
            });
        }
        Ok(Self {
            metric,
            comparison,
            bound,
        })
    }

    /// Compares it with what was measured; none and what is no number are unknown.
    #[must_use]
    pub fn check(&self, measured: Option<f64>) -> Verdict {
        let Self {
            metric,
            comparison,
            bound,
        } = self;
        let mut finding = Finding::new("slo");
        let Some(measured) = measured.filter(|measured| !measured.is_nan()) else {
            return finding.verdict(Some(format!(
                "{metric} was not measured: nothing was counted"
            )));
        };
        if !comparison.holds(measured, *bound) {
            finding.violation(|| Counterexample {
                place: metric.clone(),
                expected: format!("{comparison} {bound}"),
                seen: measured.to_string(),
                operations: Vec::new(),
            });
        }
        finding.verdict(None)
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.metric, self.comparison, self.bound)
    }
}

/// The least latency that at least this share of the results does not exceed, from counted results:
/// pairs of a latency and how many had it, in any order. None without results, or for a share that
/// does not lie in 0..=1.
#[must_use]
pub fn latency_quantile(counted: &[(u64, u64)], quantile: f64) -> Option<u64> {
    let all: u128 = counted.iter().map(|(_, many)| u128::from(*many)).sum();
    if all == 0 || !(0.0..=1.0).contains(&quantile) {
        return None;
    }
    let rank = ((quantile * all as f64).ceil() as u128).clamp(1, all);
    let mut sorted: Vec<(u64, u64)> = counted.iter().copied().filter(|(_, n)| *n > 0).collect();
    sorted.sort_unstable();
    let mut passed = 0;
    let at_rank = |&&(_, many): &&(u64, u64)| {
        passed += u128::from(many);
        passed >= rank
    };
    sorted.iter().find(at_rank).map(|(latency, _)| *latency)
}

/// The share of results that failed; none without results.
#[must_use]
pub fn error_rate(seconds: &[Second]) -> Option<f64> {
    let good: u128 = seconds.iter().map(|s| u128::from(s.good)).sum();
    let bad: u128 = seconds.iter().map(|s| u128::from(s.bad)).sum();
    (good + bad > 0).then(|| bad as f64 / (good + bad) as f64)
}

/// The share of windows in which the service was up: at least `share` of the results of its `window`
/// seconds were good. Windows stand side by side; the last may be shorter; one without results says
/// nothing. None when no window says anything.
#[must_use]
pub fn availability(seconds: &[Second], window: usize, share: f64) -> Option<f64> {
    let rates = seconds.chunks(window.max(1)).filter_map(error_rate);
    let ups: Vec<bool> = rates.map(|rate| 1.0 - rate >= share).collect();
    let up = ups.iter().filter(|up| **up).count();
    (!ups.is_empty()).then(|| up as f64 / ups.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparison::{AtLeast, AtMost};

    #[test]
    fn a_bound_that_says_nothing_is_refused() {
        let new = |comparison, bound, domain| Slo::new("metric", comparison, bound, domain);
        for (comparison, bound, domain) in [
            (AtMost, 1.0, Domain::SHARE),
            (AtMost, 1.5, Domain::SHARE),
            (AtLeast, 0.0, Domain::SHARE),
            (AtLeast, 0.0, Domain::POSITIVE),
            (AtMost, f64::INFINITY, Domain::POSITIVE),
            (AtLeast, f64::NEG_INFINITY, Domain::ANY),
        ] {
            assert!(!comparison.can_fail(bound, domain));
            let error = new(comparison, bound, domain).unwrap_err();
            assert!(matches!(error, SloError::NeverFails { .. }), "{error}");
        }
        for (comparison, bound, domain) in [
            (AtMost, -1.0, Domain::POSITIVE),
            (AtLeast, 1.5, Domain::SHARE),
            (AtMost, f64::NEG_INFINITY, Domain::POSITIVE),
        ] {
            let error = new(comparison, bound, domain).unwrap_err();
            assert!(matches!(error, SloError::NeverHolds { .. }), "{error}");
        }
        assert!(new(AtMost, f64::NAN, Domain::SHARE).is_err());
        for (comparison, bound) in [
            (AtMost, 0.0),
            (AtMost, 0.99),
            (AtLeast, 1.0),
            (AtLeast, 0.01),
        ] {
            assert!(
                new(comparison, bound, Domain::SHARE).is_ok(),
                "{comparison} {bound}"
            );
        }
        let said = new(AtMost, 1.5, Domain::SHARE).unwrap_err().to_string();
        assert_eq!(
            said,
            "metric is always at most 1.5, so this check can never fail: it lies between 0 and 1; \
             choose a bound inside"
        );
    }

    #[test]
    fn a_bound_is_met_at_its_very_value_and_broken_beyond() {
        let slo = Slo::new("p99_ms", AtMost, 50.0, Domain::POSITIVE).unwrap();
        assert!(slo.check(Some(50.0)).held());
        let broken = slo.check(Some(50.5));
        assert!(broken.is_broken());
        assert_eq!(broken.examples[0].seen, "50.5");
        assert_eq!(broken.examples[0].expected, "at most 50");
        for nothing in [None, Some(f64::NAN)] {
            let verdict = slo.check(nothing);
            assert!(!verdict.held() && !verdict.is_broken());
        }
        let share = Slo::new("hit_ratio", AtLeast, 0.9, Domain::SHARE).unwrap();
        assert!(share.check(Some(0.9)).held() && share.check(Some(0.89)).is_broken());
    }

    #[test]
    fn a_quantile_is_the_least_latency_that_so_many_do_not_exceed() {
        let counted = [(900, 1), (10, 90), (50, 9), (7, 0)];
        let at = |quantile| latency_quantile(&counted, quantile);
        assert_eq!([at(0.0), at(0.5), at(0.9)], [Some(10); 3]);
        assert_eq!(
            [at(0.91), at(0.99), at(0.999)],
            [Some(50), Some(50), Some(900)]
        );
        assert_eq!([at(1.1), latency_quantile(&[], 0.5)], [None; 2]);
    }

    #[test]
    fn rates_are_counted_over_all_and_availability_over_windows() {
        let second = |good, bad| Second { good, bad };
        let seconds = [
            second(99, 1),
            second(0, 0),
            second(50, 50),
            second(100, 0),
            second(0, 0),
        ];
        assert_eq!(error_rate(&seconds), Some(51.0 / 300.0));
        assert_eq!(error_rate(&[second(0, 0)]), None);
        // A window each second: up, silent, down, up, silent.
        assert_eq!(availability(&seconds, 1, 0.99), Some(2.0 / 3.0));
        assert_eq!(availability(&seconds, 2, 0.99), Some(0.5));
        assert_eq!(availability(&seconds, 5, 0.8), Some(1.0));
        assert_eq!(availability(&seconds, 5, 0.99), Some(0.0));
        assert_eq!(availability(&[], 5, 0.99), None);
    }
}
