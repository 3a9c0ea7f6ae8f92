//! A claim of a check: `p99_ms <= 50`, or `p99_ms < 0.5 * round_robin.p99_ms`.

use std::str::FromStr;

use crate::metrics::Known;
use crate::spec::Must;

/// What a metric is compared with, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    /// The metric.
    pub(crate) metric: String,
    /// How it is compared.
    pub(crate) comparison: Comparison,
    /// A number, or the factor of the other metric.
    pub(crate) factor: f64,
    /// Another variant and a metric of it.
    pub(crate) other: Option<(String, String)>,
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
}

const FORM: &str =
    "write METRIC < NUMBER, such as p99_ms <= 50, or METRIC < FACTOR * VARIANT.METRIC";

impl FromStr for Claim {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [metric, comparison, right @ ..] = words.as_slice() else {
            return Err(FORM.to_owned());
        };
        let comparison = match *comparison {
            "<" => Comparison::Below,
            "<=" => Comparison::AtMost,
            ">" => Comparison::Above,
            ">=" => Comparison::AtLeast,
            "==" => Comparison::Equal,
            _ => return Err(FORM.to_owned()),
        };
        let (factor, other) = match right {
            [one] => match one.parse() {
                Ok(number) => (number, None),
                Err(_) => (1.0, Some(*one)),
            },
            [factor, "*", other] => (factor.parse().map_err(|_| FORM.to_owned())?, Some(*other)),
            _ => return Err(FORM.to_owned()),
        };
        let other = match other {
            Some(other) => {
                let (variant, metric) = other.split_once('.').ok_or_else(|| FORM.to_owned())?;
                Some((variant.to_owned(), metric.to_owned()))
            }
            None => None,
        };
        if !f64::is_finite(factor) {
            return Err(FORM.to_owned());
        }
        Ok(Self {
            metric: (*metric).to_owned(),
            comparison,
            factor,
            other,
        })
    }
}

impl Claim {
    /// Whether it holds for a value; `other` is the value of the other metric, if there is one.
    #[must_use]
    pub(crate) fn holds(&self, value: f64, other: Option<f64>) -> bool {
        let right = self.factor * other.unwrap_or(1.0);
        match self.comparison {
            Comparison::Below => value < right,
            Comparison::AtMost => value <= right,
            Comparison::Above => value > right,
            Comparison::AtLeast => value >= right,
            Comparison::Equal => (value - right).abs() <= f64::EPSILON * right.abs().max(1.0),
        }
    }

    /// Why a check of this claim could never fail, if so: it holds for every value that the metric
    /// can have, or for none when it must break. `other` is what is known of the other metric, if
    /// there is one.
    #[must_use]
    pub(crate) fn empty(&self, known: &Known, other: Option<&Known>, must: Must) -> Option<String> {
        let (least, most) = (known.least, known.most);
        let (low, high) = self.bound(other);
        let always = match self.comparison {
            Comparison::Below => most < low,
            Comparison::AtMost => most <= low,
            Comparison::Above => least > high,
            Comparison::AtLeast => least >= high,
            Comparison::Equal => least >= high && most <= low,
        };
        let never = match self.comparison {
            Comparison::Below => least >= high,
            Comparison::AtMost => least > high,
            Comparison::Above => most <= low,
            Comparison::AtLeast => most < low,
            Comparison::Equal => high < least || low > most,
        };
        let cannot_fail = match must {
            Must::Hold => always,
            Must::Break => never,
        };
        let name = &self.metric;
        let range = match most.is_finite() {
            true => format!("{name} is always between {least} and {most}"),
            false => format!("{name} is never below {least}"),
        };
        cannot_fail.then(|| format!("this check can never fail: {range}"))
    }

    /// Between which values the right side can be.
    fn bound(&self, other: Option<&Known>) -> (f64, f64) {
        let Some(other) = other else {
            return (self.factor, self.factor);
        };
        // Nothing times infinity is nothing here: the other metric has some value.
        let times = |value: f64| match self.factor == 0.0 {
            true => 0.0,
            false => self.factor * value,
        };
        let (a, b) = (times(other.least), times(other.most));
        (a.min(b), a.max(b))
    }

    /// Whether it compares a metric of `variant` with itself.
    #[must_use]
    pub(crate) fn is_of_itself(&self, variant: &str) -> bool {
        let other = self.other.as_ref();
        other.is_some_and(|(of, metric)| of == variant && *metric == self.metric)
    }
}

#[cfg(test)]
mod tests {
    use reports::{Better, Compared, Metric};

    use super::*;

    fn known() -> Known {
        Known {
            metric: Metric {
                name: "error_percent".to_owned(),
                label: String::new(),
                unit: "%".to_owned(),
                better: Better::Lower,
                compared: Compared::Difference,
            },
            least: 0.0,
            most: 100.0,
        }
    }

    #[test]
    fn a_claim_compares_with_a_number_or_with_another_variant() {
        let claim: Claim = "p99_ms <= 50".parse().expect("it is one");
        assert!(claim.holds(50.0, None) && !claim.holds(50.1, None));
        let claim: Claim = "p99_ms < 0.5 * robin.p99_ms".parse().expect("it is one");
        assert_eq!(claim.other, Some(("robin".to_owned(), "p99_ms".to_owned())));
        assert!(claim.holds(49.0, Some(100.0)) && !claim.holds(50.0, Some(100.0)));
        for text in [
            "",
            "p99_ms",
            "p99_ms <= x",
            "p99_ms = 4",
            "a < b * c",
            "a < 2 * b",
            "a < inf",
        ] {
            assert!(text.parse::<Claim>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_check_that_can_never_fail_is_seen() {
        for (text, must, empty) in [
            ("error_percent <= 100", Must::Hold, true),
            ("error_percent >= 0", Must::Hold, true),
            ("error_percent < 100", Must::Hold, false),
            ("error_percent <= 5", Must::Hold, false),
            ("error_percent < 0", Must::Break, true),
            ("error_percent > 100", Must::Break, true),
            ("error_percent == 0", Must::Break, false),
            ("error_percent == 101", Must::Break, true),
        ] {
            let claim: Claim = text.parse().expect("it is one");
            assert_eq!(
                claim.empty(&known(), None, must).is_some(),
                empty,
                "{text} {must:?}"
            );
        }
        for (text, must, empty) in [
            ("error_percent >= 0 * a.error_percent", Must::Hold, true),
            ("error_percent >= -2 * a.error_percent", Must::Hold, true),
            ("error_percent < 0 * a.error_percent", Must::Break, true),
            ("error_percent > 2 * a.error_percent", Must::Hold, false),
            ("error_percent <= 2 * a.error_percent", Must::Hold, false),
        ] {
            let claim: Claim = text.parse().expect("it is one");
            let found = claim.empty(&known(), Some(&known()), must);
            assert_eq!(found.is_some(), empty, "{text} {must:?}");
        }
    }
}
