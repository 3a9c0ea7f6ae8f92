//! On which scale a metric is compared, and what its rounding allows.

use super::sample::{Mean, Tested};
use super::{WIDEST_RATIO, WIDEST_SHARE};
use crate::estimate::{Estimate, Verdict};
use crate::model::{Compared, Metric};

/// Decimals that are looked for in values, at most.
const DECIMALS_MAX: i32 = 6;

/// The scale of one metric in one run.
///
/// In a comparison a spread is never taken as smaller than rounding allows: values that are rounded to a step have
/// a variance of a twelfth of its square (Sheppard), two of them a sixth. So equal counts in every
/// trial do not pass for certainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    ratio: bool,
    /// The step to which the values are rounded, on this scale.
    step: f64,
    /// Whether no value is below zero.
    counts: bool,
}

impl Scale {
    /// Ratios are compared as logarithms; a value that has none (zero or less) makes it a difference.
    pub(crate) fn of(compared: Compared, values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.collect();
        let ratio = compared == Compared::Ratio && values.iter().all(|value| *value > 0.0);
        let step = step(&values);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        Self {
            ratio,
            step: if ratio && !values.is_empty() {
                step / least
            } else {
                step
            },
            counts: values.iter().all(|value| *value >= 0.0),
        }
    }

    pub(crate) fn is_ratio(&self) -> bool {
        self.ratio
    }

    /// To the scale on which means are taken.
    pub(crate) fn forth(&self, value: f64) -> f64 {
        if self.ratio { value.ln() } else { value }
    }

    /// And from it.
    pub(crate) fn back(&self, value: f64) -> f64 {
        if self.ratio { value.exp() } else { value }
    }

    /// A mean of values with at least the spread of their rounding.
    pub(crate) fn rounded(&self, mean: Mean) -> Mean {
        mean.at_least(self.step / 12.0_f64.sqrt())
    }

    /// The same for differences of pairs; pairs that are all alike have nothing to be unsure of.
    pub(crate) fn rounded_pairs(&self, mean: Mean) -> Mean {
        if mean.value == 0.0 && mean.deviation == 0.0 {
            return mean;
        }
        mean.at_least(self.step / 6.0_f64.sqrt())
    }

    /// What is known of one variant.
    pub(crate) fn estimate(&self, metric: &Metric, mean: Option<Mean>, missing: usize) -> Estimate {
        let interval = mean.and_then(|mean| mean.interval());
        // A count or a share is not below zero, whatever the spread says.
        let low = interval.map(|(low, _)| self.back(low));
        Estimate {
            metric: metric.name.clone(),
            better: metric.better,
            trials: mean.map_or(0, |mean| mean.count),
            missing,
            value: mean.map(|mean| self.back(mean.value)),
            low: low.map(|low| if self.counts { low.max(0.0) } else { low }),
            high: interval.map(|(_, high)| self.back(high)),
            variation: mean.and_then(|mean| self.variation(&mean)),
            difference: None,
            verdict: if mean.is_some() {
                Verdict::First
            } else {
                Verdict::NotMeasured
            },
        }
    }

    /// The coefficient of variation between trials; nothing around zero or with fewer than two.
    fn variation(&self, mean: &Mean) -> Option<f64> {
        if mean.count < 2 {
            return None;
        }
        if self.ratio {
            // That of a log-normal distribution.
            return Some(mean.deviation.powi(2).exp_m1().sqrt());
        }
        (mean.value != 0.0).then(|| mean.deviation / mean.value.abs())
    }

    /// Whether an interval is too wide to tell anything; the means are on this scale and on the
    /// metric's own.
    pub(crate) fn is_too_wide(&self, tested: &Tested, first: f64, other: f64) -> bool {
        let width = tested.high - tested.low;
        if self.ratio {
            return width > WIDEST_RATIO.ln();
        }
        width / 2.0 > WIDEST_SHARE * first.abs().max(other.abs())
    }
}

/// The largest power of ten, of at most one, that all values are multiples of; 0 when there is none.
fn step(values: &[f64]) -> f64 {
    (0..=DECIMALS_MAX)
        .map(|decimals| 10.0_f64.powi(decimals))
        .find(|factor| {
            values.iter().all(|value| {
                let scaled = value * factor;
                (scaled - scaled.round()).abs() < 1e-4
            })
        })
        .map_or(0.0, |factor| 1.0 / factor)
}

#[cfg(test)]
mod tests {
    use super::{Scale, step};
    use crate::model::Compared;

    #[test]
    fn rounding_is_seen_in_the_values() {
        assert!((step(&[0.0, 17.0]) - 1.0).abs() < 1e-12);
        assert!((step(&[0.25, 1.5]) - 0.01).abs() < 1e-12);
        assert!(step(&[std::f64::consts::PI, 1.0]) < 1e-9);
    }

    #[test]
    fn a_zero_turns_a_ratio_into_a_difference() {
        assert!(Scale::of(Compared::Ratio, [1.0, 2.0].into_iter()).is_ratio());
        assert!(!Scale::of(Compared::Ratio, [1.0, 0.0].into_iter()).is_ratio());
        assert!(!Scale::of(Compared::Difference, [1.0, 2.0].into_iter()).is_ratio());
    }
}
