//! How long to wait before a process that ended is started again, and when it counts as a loop.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The first wait; doubled with each further end.
const FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(10);
/// A process that ran this long was healthy: its next end is a first one again.
const HEALTHY: Duration = Duration::from_secs(10);
/// This many ends within [`LOOP_WINDOW`] are a crash loop.
const LOOP_ENDS: usize = 5;
const LOOP_WINDOW: Duration = Duration::from_secs(60);

/// Remembers the ends of one process.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    in_a_row: u32,
    ends: VecDeque<Instant>,
}

/// What to do after an end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How long to wait before the next start.
    pub(super) wait: Duration,
    /// Whether it ends again and again.
    pub(super) looping: bool,
}

impl Backoff {
    /// The process ended at `now` after it had run for `ran`.
    pub(super) fn ended(&mut self, now: Instant, ran: Duration) -> Verdict {
        self.in_a_row = if ran >= HEALTHY {
            1
        } else {
            self.in_a_row.saturating_add(1)
        };
        self.ends.push_back(now);
        while self
            .ends
            .front()
            .is_some_and(|end| now.duration_since(*end) > LOOP_WINDOW)
            || self.ends.len() > LOOP_ENDS
        {
            self.ends.pop_front();
        }
        let doublings = self.in_a_row.saturating_sub(1).min(16);
        let wait = FIRST.saturating_mul(1 << doublings).min(LONGEST);
        Verdict {
            wait,
            looping: self.ends.len() >= LOOP_ENDS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_over_after_health() {
        let mut backoff = Backoff::default();
        let now = Instant::now();
        let waits: Vec<u128> = (0..10)
            .map(|_| backoff.ended(now, Duration::from_secs(1)).wait.as_millis())
            .collect();
        assert_eq!(
            waits,
            [50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
        );
        assert_eq!(backoff.ended(now, HEALTHY).wait, FIRST);
    }

    #[test]
    fn five_ends_in_a_minute_are_a_loop_and_five_in_an_hour_are_not() {
        let (mut fast, mut slow) = (Backoff::default(), Backoff::default());
        let start = Instant::now();
        for n in 1..=5 {
            let soon = fast.ended(start + Duration::from_secs(n), Duration::from_secs(1));
            assert_eq!(soon.looping, n == 5);
            let late = slow.ended(
                start + Duration::from_secs(720 * n),
                Duration::from_secs(700),
            );
            assert!(!late.looping);
        }
    }
}
