//! Values that are planted in a recorded run, to see whether a check would notice.

use reports::{CheckOutcome, Run};

use crate::claim::Claim;
use crate::judge;
use crate::metrics::{self, Known};
use crate::spec::{CheckSpec, Spec};

/// By how much what was measured is moved, up and down.
const FACTOR: f64 = 1e6;

/// Where a value is planted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    variant: usize,
    metric: String,
}

/// Whether `check` comes as expected with some values in `run`, and with others not. Values stay
/// between the bounds that the metrics of `spec` have.
pub(super) fn turns(spec: &Spec, check: &CheckSpec, variant: usize, run: &Run) -> bool {
    let Ok(claim) = check.claim.get_ref().parse::<Claim>() else {
        return false;
    };
    let known = metrics::of(spec);
    let mut run = bare(run);
    let own = Place {
        variant,
        metric: claim.metric.clone(),
    };
    let other = claim.other.as_ref().and_then(|(name, metric)| {
        let variant = run.variants.iter().position(|v| v.name == *name)?;
        Some(Place {
            variant,
            metric: metric.clone(),
        })
    });
    // What is compared with itself is the same whatever is measured.
    if other.as_ref() == Some(&own) {
        return false;
    }
    let was = read(&run, other.as_ref());
    let others = match &other {
        Some(place) => possible(&known, place, was, &[]),
        None => vec![1.0],
    };
    let mut seen = vec![judge::outcome(check, variant, &run)];
    let first = read(&run, Some(&own));
    for right in others {
        if let Some(place) = &other {
            plant(&mut run, place, right);
        }
        // The other side itself, and a little to each side of it.
        let near = [0.5, 1.0, 2.0].map(|share| share * claim.factor * right);
        for left in possible(&known, &own, first, &near) {
            plant(&mut run, &own, left);
            seen.push(judge::outcome(check, variant, &run));
        }
    }
    seen.iter().any(CheckOutcome::passed) && !seen.iter().all(CheckOutcome::passed)
}

/// The run without what no check looks at.
fn bare(run: &Run) -> Run {
    let mut run = run.clone();
    for trial in &mut run.trials {
        trial.latency.clear();
        trial.seconds.clear();
        trial.marks.clear();
    }
    run
}

/// What was measured there, in its first trial.
fn read(run: &Run, place: Option<&Place>) -> Option<f64> {
    let place = place?;
    let mut own = run.trials.iter().filter(|t| t.variant == place.variant);
    own.find_map(|trial| trial.values.get(&place.metric).copied())
}

/// Values that the metric of a place can have: what was measured, moved as far as is possible.
fn possible(known: &[Known], place: &Place, was: Option<f64>, more: &[f64]) -> Vec<f64> {
    let of = known.iter().find(|known| known.metric.name == place.metric);
    let Some(Known { least, most, .. }) = of else {
        return Vec::new();
    };
    let was = was.unwrap_or_default();
    // Without a bound, what was measured can be so much more and not anything.
    let most = most.min(was.abs().max(1.0) * FACTOR);
    let moved = [was, was / FACTOR, *least, most];
    let mut values: Vec<f64> = moved.into_iter().chain(more.iter().copied()).collect();
    values.retain(|value| (*least..=most).contains(value));
    values
}

/// Puts `value` in the place of what was measured, in every trial.
fn plant(run: &mut Run, place: &Place, value: f64) {
    let own = run.trials.iter_mut();
    for trial in own.filter(|trial| trial.variant == place.variant) {
        trial.values.insert(place.metric.clone(), value);
    }
}
