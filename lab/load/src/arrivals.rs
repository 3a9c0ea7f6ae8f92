//! When each request is due: evenly, or as independent people come (Poisson).

use std::time::Duration;

use kernel::{Random, SeededRandom};
use serde::Serialize;

use crate::rate::Profile;

/// How requests are spread under the same rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// The same gap between all of them.
    #[default]
    Constant,
    /// Independent of each other: exponentially distributed gaps.
    Poisson,
}

/// The moments at which requests are due, in order. Pure: the same seed gives the same moments.
#[derive(Debug)]
pub struct Arrivals {
    profile: Profile,
    process: Process,
    random: SeededRandom,
    /// How many requests are expected before the next one.
    count: f64,
}

impl Arrivals {
    /// The schedule of `profile`.
    #[must_use]
    pub fn new(profile: Profile, process: Process, seed: u64) -> Self {
        let mut arrivals = Self {
            profile,
            process,
            random: SeededRandom::new(seed),
            count: 0.0,
        };
        if process == Process::Poisson {
            arrivals.advance();
        }
        arrivals
    }

    /// When the next request is due, since the start; `None` while the rate stays at zero.
    #[must_use]
    pub fn next_at(&self) -> Option<Duration> {
        self.profile
            .moment_of(self.count)
            // Rounded, so that the hundredth of 10 a second is due at 10 s and not just before.
            .map(|at| Duration::from_nanos((at * 1e9).round() as u64))
    }

    /// How many requests a second are wanted at `at`.
    #[must_use]
    pub fn rate_at(&self, at: Duration) -> f64 {
        self.profile.rate_at(at.as_secs_f64())
    }

    /// Goes on to the request after the next one.
    pub fn advance(&mut self) {
        self.count += match self.process {
            Process::Constant => 1.0,
            Process::Poisson => -(1.0 - uniform(&self.random)).ln(),
        };
    }

    /// From `at` on the rate is `rate` requests per second.
    pub fn change(&mut self, at: Duration, rate: f64) {
        self.profile.change(at.as_secs_f64(), rate);
    }
}

/// A uniformly distributed number from 0 to below 1.
pub(crate) fn uniform(random: &dyn Random) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(process: Process, seed: u64, profile: Profile, count: usize) -> Vec<f64> {
        let mut arrivals = Arrivals::new(profile, process, seed);
        let mut moments = Vec::new();
        while moments.len() < count {
            let at = arrivals.next_at().expect("the rate is not zero");
            moments.push(at.as_secs_f64());
            arrivals.advance();
        }
        moments
    }

    #[test]
    fn a_constant_rate_gives_exactly_its_number_within_a_time() {
        for rate in [1.0, 7.0, 333.0, 1_000.0, 20_000.0] {
            let mut arrivals = Arrivals::new(Profile::constant(rate), Process::Constant, 1);
            let mut count = 0;
            while arrivals
                .next_at()
                .is_some_and(|at| at < Duration::from_secs(10))
            {
                count += 1;
                arrivals.advance();
            }
            assert_eq!(count, rate as u64 * 10, "at {rate}/s");
        }
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_variance_of_the_exponential_distribution() {
        const COUNT: usize = 100_000;
        let moments = moments(Process::Poisson, 42, Profile::constant(200.0), COUNT);
        let gaps: Vec<f64> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Both are 1/rate to its power; the standard error is 0.3 % and 0.9 %.
        assert!((mean * 200.0 - 1.0).abs() < 0.015, "mean {mean}");
        assert!(
            (variance * 40_000.0 - 1.0).abs() < 0.04,
            "variance {variance}"
        );
        // A third of the gaps are longer than the mean: e^-1, which even gaps do not have.
        let long = gaps.iter().filter(|gap| **gap > mean).count() as f64 / gaps.len() as f64;
        assert!((long - (-1.0_f64).exp()).abs() < 0.01, "{long}");
    }

    #[test]
    fn poisson_follows_the_profile() {
        let profile = Profile::steps(&[100.0, 1_000.0], Duration::from_secs(10));
        let moments = moments(Process::Poisson, 7, profile, 11_000);
        let early = moments.iter().filter(|at| **at < 10.0).count();
        // Four standard deviations of a Poisson count of 1,000.
        assert!((874..=1_126).contains(&early), "{early}");
    }

    #[test]
    fn the_seed_decides() {
        let of = |seed| moments(Process::Poisson, seed, Profile::constant(10.0), 100);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_pause_has_no_next_request_until_the_rate_changes() {
        let mut arrivals = Arrivals::new(Profile::constant(10.0), Process::Constant, 1);
        arrivals.advance();
        arrivals.change(Duration::from_millis(50), 0.0);
        assert_eq!(arrivals.next_at(), None);
        arrivals.change(Duration::from_secs(2), 5.0);
        // Half of the gap had passed before the pause; the other half takes 0.1 s at 5 a second.
        assert_eq!(arrivals.next_at(), Some(Duration::from_millis(2_100)));
    }
}
