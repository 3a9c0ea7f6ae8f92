//! Means with their 95 % intervals, paired and unpaired differences.

use super::dist;

/// A mean with what can be said of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mean {
    /// The mean.
    pub(crate) value: f64,
    /// The standard deviation of what it was made from; zero with fewer than two.
    pub(crate) deviation: f64,
    /// How many it was made from.
    pub(crate) count: usize,
}

/// A difference of two means, tested against none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tested {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// How often a difference at least as large comes about by chance.
    pub(crate) p: f64,
}

impl Mean {
    /// Of numbers; nothing when there are none.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let count = values.len() as f64;
        let value = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|each| (each - value).powi(2)).sum();
        let deviation = if values.len() < 2 {
            0.0
        } else {
            (squares / (count - 1.0)).sqrt()
        };
        Some(Self {
            value,
            deviation,
            count: values.len(),
        })
    }

    /// With a deviation of at least this.
    pub(crate) fn at_least(mut self, deviation: f64) -> Self {
        self.deviation = self.deviation.max(deviation);
        self
    }

    /// The 95 % interval; nothing with fewer than two numbers.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        let half = dist::t_within(0.95, self.degrees()?) * self.error();
        Some((self.value - half, self.value + half))
    }

    /// Against zero: Student's test of one sample, which is the paired test when the numbers are
    /// differences of pairs (Student, Biometrika 6, 1908).
    pub(crate) fn against_zero(&self) -> Option<Tested> {
        let degrees = self.degrees()?;
        Some(tested(self.value, self.error(), degrees))
    }

    /// From the other to this, unpaired and with unequal variances (Welch, Biometrika 34, 1947).
    pub(crate) fn against(&self, other: &Self) -> Option<Tested> {
        let (own, others) = (self.error().powi(2), other.error().powi(2));
        let both = own + others;
        let degrees = if both == 0.0 {
            self.degrees()?.min(other.degrees()?)
        } else {
            both.powi(2) / (own.powi(2) / self.degrees()? + others.powi(2) / other.degrees()?)
        };
        Some(tested(self.value - other.value, both.sqrt(), degrees))
    }

    fn degrees(&self) -> Option<f64> {
        (self.count >= 2).then_some(self.count as f64 - 1.0)
    }

    fn error(&self) -> f64 {
        self.deviation / (self.count as f64).sqrt()
    }
}

fn tested(value: f64, error: f64, degrees: f64) -> Tested {
    let half = dist::t_within(0.95, degrees) * error;
    let p = match (value == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => dist::t_two_sided(value / error, degrees),
    };
    Tested {
        value,
        low: value - half,
        high: value + half,
        p,
    }
}

/// Adjusts p-values for how many there are (Holm, Scand. J. Statist. 6, 1979): whoever claims those
/// of at most 0.05 is wrong anywhere in at most 5 % of runs, however the tests depend on each other.
pub(crate) fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut adjusted = vec![1.0; values.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let left = (values.len() - rank) as f64;
        least = least.max((values[index] * left).min(1.0));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::{Mean, holm};

    /// Student's own ten patients, as in R: `t.test(extra ~ group, sleep, paired = TRUE)`.
    #[test]
    fn a_published_paired_test_comes_out_the_same() {
        let gained = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let tested = Mean::of(&gained).unwrap().against_zero().unwrap();
        assert!((tested.value - 1.58).abs() < 1e-9);
        assert!((tested.p - 0.002_833).abs() < 1e-6, "{tested:?}");
        assert!((tested.low - 0.700_114).abs() < 1e-5 && (tested.high - 2.459_886).abs() < 1e-5);
    }

    /// The same patients unpaired, as in R: `t.test(extra ~ group, sleep)`.
    #[test]
    fn a_published_unpaired_test_comes_out_the_same() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let tested = Mean::of(&first)
            .unwrap()
            .against(&Mean::of(&second).unwrap())
            .unwrap();
        assert!((tested.p - 0.079_394).abs() < 1e-5, "{tested:?}");
        assert!((tested.low + 3.365_483).abs() < 1e-5 && (tested.high - 0.205_483).abs() < 1e-5);
    }

    /// As in R: `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")`.
    #[test]
    fn holm_is_that_of_the_books() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (got, want) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((got - want).abs() < 1e-12, "{adjusted:?}");
        }
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn too_few_numbers_have_no_interval() {
        assert!(Mean::of(&[]).is_none());
        let one = Mean::of(&[3.0]).unwrap();
        assert!(one.interval().is_none() && one.against_zero().is_none());
    }
}
