//! Goodput: answers that came in time, per second; and when it was low.

use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::operation::Outcome;
use crate::recovery::median;

/// More seconds than a day has are cut off.
pub const SECONDS_MAX: usize = 86_400;

/// What was counted in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Results as they should be.
    pub good: u64,
    /// All others.
    pub bad: u64,
}

/// Counts a history by the second in which each operation was due (its begin), the first being that
/// of the first begin: good is what was answered within `deadline_us` of its begin, bad is all else.
#[must_use]
pub fn per_second(history: &History, deadline_us: u64) -> Vec<Second> {
    let operations = history.operations();
    let Some(first_us) = operations.iter().map(|o| o.begin_us).min() else {
        return Vec::new();
    };
    let mut seconds: Vec<Second> = Vec::new();
    for operation in operations {
        let second = (operation.begin_us - first_us) / 1_000_000;
        let at = usize::try_from(second).unwrap_or(usize::MAX);
        if at >= SECONDS_MAX {
            continue;
        }
        if seconds.len() <= at {
            seconds.resize(at + 1, Second::default());
        }
        let in_time = operation.end_us - operation.begin_us <= deadline_us;
        match matches!(operation.outcome, Outcome::Ok(_)) && in_time {
            true => seconds[at].good += 1,
            false => seconds[at].bad += 1,
        }
    }
    seconds
}

/// A time of low goodput.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Degradation {
    /// The first low second, from zero.
    pub from: usize,
    /// How many seconds it lasted.
    pub seconds: usize,
    /// The least goodput in it, per second.
    pub lowest: f64,
    /// What is missing to the baseline, over all of it.
    pub missing: f64,
}

/// When goodput stayed below `share` of the `baseline` for at least `seconds` on end.
#[must_use]
pub fn degradations(
    goodput: &[f64],
    baseline: f64,
    share: f64,
    seconds: usize,
) -> Vec<Degradation> {
    let mut found = Vec::new();
    let is_low = |good: &f64| *good < baseline * share;
    let mut from = 0;
    for run in goodput.chunk_by(|a, b| is_low(a) == is_low(b)) {
        if is_low(&run[0]) && run.len() >= seconds {
            found.push(Degradation {
                from,
                seconds: run.len(),
                lowest: run.iter().copied().fold(f64::INFINITY, f64::min),
                missing: run.iter().map(|good| baseline - good).sum(),
            });
        }
        from += run.len();
    }
    found
}

/// The median of these seconds: what is usual, which single bad seconds do not move. None without
/// any.
#[must_use]
pub fn baseline(goodput: &[f64]) -> Option<f64> {
    median(goodput)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Ask, Operation, Value};

    #[test]
    fn only_what_was_answered_in_time_is_good() {
        let read = |begin_us| Operation::begun(1, "k", begin_us, Ask::Read);
        let history = History::of([
            read(500_000).ok(600_000, Value::Nothing),
            read(1_499_999).ok(1_700_000, Value::Nothing),
            read(1_500_000).failed(1_500_001, "503"),
            read(3_500_000).unknown(3_500_001),
        ])
        .unwrap();
        let second = |good, bad| Second { good, bad };
        let late = [second(1, 1), second(0, 1), second(0, 0), second(0, 1)];
        assert_eq!(per_second(&history, 100_000), late);
        assert_eq!(per_second(&history, 300_000)[0], second(2, 0));
        assert!(per_second(&History::new(), 1).is_empty());
    }

    #[test]
    fn a_degradation_has_a_begin_a_length_and_a_price() {
        let goodput = [100.0, 40.0, 100.0, 50.0, 10.0, 60.0, 95.0, 90.0, 20.0];
        let found = degradations(&goodput, 100.0, 0.8, 2);
        let price = Degradation {
            from: 3,
            seconds: 3,
            lowest: 10.0,
            missing: 180.0,
        };
        assert_eq!(found, [price]);
        let short: Vec<usize> = degradations(&goodput, 100.0, 0.8, 1)
            .iter()
            .map(|d| d.from)
            .collect();
        assert_eq!(short, [1, 3, 8]);
        assert_eq!(baseline(&goodput), Some(60.0));
        assert!(degradations(&[], 100.0, 0.8, 1).is_empty());
    }
}
