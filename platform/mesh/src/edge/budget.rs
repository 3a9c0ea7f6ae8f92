//! The retry budget of an edge: retries are a share of the calls, plus a few per second, so that
//! retries cannot turn an overload into a storm.

use kernel::Steady;
use parking_lot::Mutex;

use crate::RetryPolicy;

/// How many seconds of the minimum rate may be saved up.
const SAVED_S: f64 = 10.0;
/// How many retries earned by calls may be saved up.
const EARNED_MAX: f64 = 100.0;

pub(crate) struct RetryBudget(Mutex<Inner>);

struct Inner {
    tokens: f64,
    at: Steady,
}

impl RetryBudget {
    /// One second of the minimum rate is there from the start.
    pub(crate) fn new(policy: &RetryPolicy, now: Steady) -> Self {
        Self(Mutex::new(Inner {
            tokens: f64::from(policy.budget_min_per_s),
            at: now,
        }))
    }

    /// A call earns its share of a retry.
    pub(crate) fn earn(&self, policy: &RetryPolicy) {
        let mut inner = self.0.lock();
        let max = capacity(policy);
        inner.tokens = (inner.tokens + f64::from(policy.budget_percent) / 100.0).min(max);
    }

    /// Takes one retry out; `false` when there is none.
    pub(crate) fn spend(&self, policy: &RetryPolicy, now: Steady) -> bool {
        let mut inner = self.0.lock();
        inner.refill(policy, now);
        let enough = inner.tokens >= 1.0;
        if enough {
            inner.tokens -= 1.0;
        }
        enough
    }

    /// How many retries there are.
    pub(crate) fn left(&self, policy: &RetryPolicy, now: Steady) -> f64 {
        let mut inner = self.0.lock();
        inner.refill(policy, now);
        inner.tokens
    }
}

impl Inner {
    fn refill(&mut self, policy: &RetryPolicy, now: Steady) {
        let earned = now.since(self.at).as_secs_f64() * f64::from(policy.budget_min_per_s);
        self.tokens = (self.tokens + earned).min(capacity(policy));
        self.at = now;
    }
}

fn capacity(policy: &RetryPolicy) -> f64 {
    let earned = if policy.budget_percent == 0 {
        0.0
    } else {
        EARNED_MAX
    };
    f64::from(policy.budget_min_per_s).mul_add(SAVED_S, earned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_the_calls_plus_a_few_per_second() {
        let policy = RetryPolicy {
            budget_percent: 10,
            budget_min_per_s: 2,
            ..RetryPolicy::default()
        };
        let start = Steady::from_millis(1_000_000);
        let budget = RetryBudget::new(&policy, start);
        let spend = |at| (0..1_000).filter(|_| budget.spend(&policy, at)).count();
        assert_eq!(spend(start), 2, "the first second's");
        (0..100).for_each(|_| budget.earn(&policy));
        let earned = spend(start);
        assert!(
            (9..=10).contains(&earned),
            "a tenth of the calls, not {earned}"
        );
        let later = spend(Steady::from_millis(1_003_000));
        assert!((6..=7).contains(&later), "two a second, not {later}");
    }
}
