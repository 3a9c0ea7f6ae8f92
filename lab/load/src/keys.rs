//! Which of several targets is asked: all alike, or a few far more than the rest (Zipf).

use kernel::Random;
use serde::Serialize;

use crate::arrivals::uniform;

/// How often each target is asked.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Popularity {
    /// All alike.
    #[default]
    Uniform,
    /// The one at rank `k` in proportion to `1 / k^exponent`; the first is the most popular.
    Zipf {
        /// 0 is uniform; most real sets of keys have 0.6 to 1.2.
        exponent: f64,
    },
}

/// Picks among a number of keys.
#[derive(Debug, Clone)]
pub struct Keys {
    count: u64,
    /// The share of each key and all before it; empty when all are alike.
    shares: Vec<f64>,
}

impl Keys {
    /// `count` keys; at least one.
    #[must_use]
    pub fn new(count: usize, popularity: Popularity) -> Self {
        let shares = match popularity {
            Popularity::Uniform => Vec::new(),
            Popularity::Zipf { exponent } => zipf(count.max(1), exponent),
        };
        Self {
            count: count.max(1) as u64,
            shares,
        }
    }

    /// The next key, from zero.
    #[must_use]
    pub fn pick(&self, random: &dyn Random) -> usize {
        if self.count == 1 {
            return 0;
        }
        if self.shares.is_empty() {
            return usize::try_from(random.below(self.count)).unwrap_or(0);
        }
        let point = uniform(random);
        let index = self.shares.partition_point(|share| *share <= point);
        index.min(self.shares.len() - 1)
    }
}

fn zipf(count: usize, exponent: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let mut shares: Vec<f64> = (1..=count)
        .map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        })
        .collect();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

#[cfg(test)]
mod tests {
    use kernel::SeededRandom;

    use super::*;

    const PICKS: usize = 200_000;

    fn counts(keys: &Keys, count: usize) -> Vec<f64> {
        let random = SeededRandom::new(11);
        let mut counts = vec![0_u32; count];
        for _ in 0..PICKS {
            counts[keys.pick(&random)] += 1;
        }
        counts
            .into_iter()
            .map(|n| f64::from(n) / PICKS as f64)
            .collect()
    }

    #[test]
    fn uniform_keys_are_asked_alike() {
        for share in counts(&Keys::new(10, Popularity::Uniform), 10) {
            assert!((share - 0.1).abs() < 0.005, "{share}");
        }
    }

    #[test]
    fn zipf_keys_are_asked_by_their_rank() {
        let exponent = 1.1;
        let shares = counts(&Keys::new(1_000, Popularity::Zipf { exponent }), 1_000);
        let all: f64 = (1..=1_000)
            .map(|rank| f64::from(rank).powf(-exponent))
            .sum();
        for rank in [1_u32, 2, 3, 10, 50] {
            let wanted = f64::from(rank).powf(-exponent) / all;
            let share = shares[rank as usize - 1];
            // Five standard deviations of the count.
            let allowed = 5.0 * (wanted / PICKS as f64).sqrt();
            assert!(
                (share - wanted).abs() < allowed,
                "rank {rank}: {share}, wanted {wanted}"
            );
        }
        assert!(
            shares.iter().rev().take(500).any(|share| *share > 0.0),
            "the tail is asked too"
        );
    }

    #[test]
    fn an_exponent_of_zero_is_uniform_and_one_key_is_always_the_same() {
        for share in counts(&Keys::new(4, Popularity::Zipf { exponent: 0.0 }), 4) {
            assert!((share - 0.25).abs() < 0.006, "{share}");
        }
        assert_eq!(
            counts(&Keys::new(1, Popularity::Zipf { exponent: 2.0 }), 1),
            [1.0]
        );
    }
}
