//! The retry budget of a service: a share of its requests plus a few per second, in atomics, since
//! every request earns.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use crate::config::RetryConfig;

/// One retry, in hundredths.
const ONE: i64 = 100;
/// How many earned retries may be saved up.
const SAVED_MAX: i64 = 200 * ONE;

pub(crate) struct Budget {
    saved: AtomicI64,
    begun: Instant,
    /// Up to which second the minimum rate has been paid in.
    paid_s: AtomicU64,
}

impl Budget {
    /// One second of the minimum rate is there from the start.
    pub(crate) fn new(config: &RetryConfig) -> Self {
        let saved = i64::from(config.budget_min_per_s) * ONE;
        Self {
            saved: AtomicI64::new(saved),
            begun: Instant::now(),
            paid_s: AtomicU64::new(0),
        }
    }

    /// A request earns its share of a retry.
    pub(crate) fn earn(&self, config: &RetryConfig) {
        if self.saved.load(Ordering::Relaxed) < SAVED_MAX {
            self.saved
                .fetch_add(i64::from(config.budget_percent), Ordering::Relaxed);
        }
    }

    /// Takes one retry out; `false` when there is none.
    pub(crate) fn spend(&self, config: &RetryConfig) -> bool {
        self.spend_at(config, self.begun.elapsed().as_secs())
    }

    fn spend_at(&self, config: &RetryConfig, second: u64) -> bool {
        let paid = self.paid_s.fetch_max(second, Ordering::Relaxed);
        let seconds = i64::try_from(second.saturating_sub(paid))
            .unwrap_or(0)
            .min(60);
        let paid_in = seconds * i64::from(config.budget_min_per_s) * ONE;
        let take = |saved: i64| {
            let now = (saved + paid_in).min(SAVED_MAX.max(paid_in));
            (now >= ONE).then_some(now - ONE)
        };
        self.saved
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// How many retries are left.
    pub(crate) fn left(&self) -> i64 {
        self.saved.load(Ordering::Relaxed) / ONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_the_requests_plus_a_few_per_second() {
        let config = RetryConfig {
            attempts: 3,
            budget_percent: 10,
            budget_min_per_s: 5,
        };
        let budget = Budget::new(&config);
        let spend = |second| {
            (0..1_000)
                .filter(|_| budget.spend_at(&config, second))
                .count()
        };
        assert_eq!(spend(0), 5, "the first second's");
        (0..100).for_each(|_| budget.earn(&config));
        assert_eq!(spend(0), 10, "a tenth of the requests");
        assert_eq!(spend(1), 5, "the next second's");
        (0..100_000).for_each(|_| budget.earn(&config));
        assert_eq!(spend(1), 200, "not more than can be saved");
    }
}
