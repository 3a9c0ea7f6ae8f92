//! How long it took after a trigger until goodput was back, and whether it ever was.
//!
//! A metastable failure (Bronson et al., HotOS 2021) is one that stays when its trigger is gone, so
//! time counts from the end of the trigger and "never" is an answer.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::verdict::{Counterexample, Finding, Verdict};

/// What counts as recovered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Need {
    /// The share of the goodput before the trigger, above 0 and at most 1.
    pub share: f64,
    /// For how many seconds on end, at least 1.
    pub stay: usize,
}

impl Default for Need {
    fn default() -> Self {
        Self {
            share: 0.95,
            stay: 3,
        }
    }
}

/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecoveryError {
    /// Nothing to compare with.
    #[error(
        "the trigger begins in the first second, so no goodput before it is known: begin later"
    )]
    NoBaseline,
    /// Nothing was good before.
    #[error("the median goodput before the trigger is {0}: warm up longer, or begin it later")]
    Baseline(f64),
    /// The window is not in the numbers.
    #[error("the trigger ends at second {end} and begins at {start}, of {seconds}: record longer")]
    Trigger {
        /// As given.
        start: usize,
        /// As given.
        end: usize,
        /// How many were given.
        seconds: usize,
    },
    /// The share or the stay makes no sense.
    #[error("recovery needs a share above 0 and at most 1, and a stay of at least 1 second")]
    Need,
}

/// When goodput was back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Back {
    /// So many seconds after the trigger's end began the seconds in which it stayed; zero is at once.
    After(usize),
    /// It was not, in so many seconds that were watched after the trigger.
    Never(usize),
    /// It was in the last seconds, which are too few to tell whether it stays.
    TooShort(usize),
}

/// What a trigger did to goodput.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// The median before the trigger, per second.
    pub baseline: f64,
    /// What counts as back, per second.
    pub threshold: f64,
    /// The least from the trigger's begin on, per second.
    pub lowest: f64,
    /// Whether it fell below the threshold during the trigger. A trigger that did no harm proves
    /// nothing about recovery.
    pub harmed: bool,
    /// When it was back.
    pub back: Back,
}

/// Looks at goodput per second, of which the `trigger` was active in some.
///
/// # Errors
/// [`RecoveryError`] when nothing was good before, the window is not in the numbers, or the need makes
/// no sense.
pub fn recovery(
    goodput: &[f64],
    trigger: Range<usize>,
    need: Need,
) -> Result<Recovery, RecoveryError> {
    let Range { start, end } = trigger;
    let seconds = goodput.len();
    if !(need.share > 0.0 && need.share <= 1.0 && need.stay > 0) {
        return Err(RecoveryError::Need);
    }
    if start >= end || end >= seconds {
        return Err(RecoveryError::Trigger {
            start,
            end,
            seconds,
        });
    }
    let baseline = median(&goodput[..start]).ok_or(RecoveryError::NoBaseline)?;
    if !(baseline > 0.0 && baseline.is_finite()) {
        return Err(RecoveryError::Baseline(baseline));
    }
    let threshold = baseline * need.share;
    let is_good = |good: &f64| *good >= threshold;
    let after = &goodput[end..];
    let back = match after
        .windows(need.stay)
        .position(|stay| stay.iter().all(is_good))
    {
        Some(second) => Back::After(second),
        None => match after.iter().rev().take_while(|good| is_good(good)).count() {
            0 => Back::Never(after.len()),
            last => Back::TooShort(last),
        },
    };
    Ok(Recovery {
        baseline,
        threshold,
        lowest: goodput[start..]
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min),
        harmed: !goodput[start..end].iter().all(is_good),
        back,
    })
}

impl Recovery {
    /// Whether it was back within so many seconds of the trigger's end.
    #[must_use]
    pub fn within(&self, seconds: usize) -> Verdict {
        let mut finding = Finding::new("recovery");
        let Self {
            threshold, lowest, ..
        } = self;
        let (late, seen) = match self.back {
            Back::After(after) => (after > seconds, format!("back after {after} s")),
            Back::Never(watched) => (watched >= seconds, format!("never, in {watched} s")),
            Back::TooShort(_) => (false, String::new()),
        };
        if late {
            finding.violation(|| Counterexample {
                place: "goodput after the trigger".to_owned(),
                expected: format!("{threshold} per second or more within {seconds} s"),
                seen: format!("{seen}; the least was {lowest} per second"),
                operations: Vec::new(),
            });
        }
        let unknown = match self.back {
            Back::After(_) if self.harmed => None,
            Back::After(_) => Some("the trigger did no harm: make it stronger".to_owned()),
            Back::Never(watched) => Some(format!("only {watched} s were watched: watch longer")),
            Back::TooShort(last) => Some(format!(
                "it was good in the last {last} s only: watch longer"
            )),
        };
        finding.verdict(unknown)
    }
}

/// None without numbers.
pub(crate) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => None,
        1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five good seconds, a trigger of three, and what comes after.
    fn after(seconds: &[f64]) -> Recovery {
        let before = [100.0, 90.0, 100.0, 110.0, 0.0, 20.0, 10.0, 20.0];
        recovery(&[&before, seconds].concat(), 5..8, Need::default()).unwrap()
    }

    #[test]
    fn it_is_back_when_it_stays() {
        let back = after(&[20.0, 96.0, 96.0, 50.0, 95.0, 99.0, 120.0]);
        assert_eq!(back.back, Back::After(4));
        assert_eq!(
            (back.baseline, back.threshold, back.lowest),
            (100.0, 95.0, 10.0)
        );
        assert!(back.harmed && back.within(4).held());
        assert!(back.within(3).is_broken());
        assert_eq!(after(&[95.0, 95.0, 95.0]).back, Back::After(0));
    }

    #[test]
    fn never_is_an_answer_and_too_short_is_none() {
        let never = after(&[94.9; 30]);
        assert_eq!(never.back, Back::Never(30));
        assert!(never.within(30).is_broken());
        let early = never.within(40);
        assert!(
            !early.held() && !early.is_broken(),
            "nobody looked for so long"
        );
        let short = after(&[20.0, 96.0, 96.0]);
        assert_eq!(short.back, Back::TooShort(2));
        assert!(!short.within(30).held() && !short.within(30).is_broken());
    }

    #[test]
    fn a_trigger_without_harm_proves_nothing() {
        let calm = recovery(&[100.0; 20], 5..8, Need::default()).unwrap();
        assert!(!calm.harmed && !calm.within(30).held());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let of = |trigger, need| recovery(&[100.0; 10], trigger, need).unwrap_err();
        assert_eq!(of(0..3, Need::default()), RecoveryError::NoBaseline);
        for trigger in [5..5, 5..10, 9..20] {
            assert!(matches!(
                of(trigger, Need::default()),
                RecoveryError::Trigger { .. }
            ));
        }
        for (share, stay) in [(0.0, 1), (1.1, 1), (f64::NAN, 1), (0.9, 0)] {
            assert_eq!(of(5..7, Need { share, stay }), RecoveryError::Need);
        }
        let dead = recovery(&[0.0; 10], 5..7, Need::default()).unwrap_err();
        assert_eq!(dead, RecoveryError::Baseline(0.0));
    }
}
