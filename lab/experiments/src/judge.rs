//! Whether what had to hold holds, and how good a guess was.

use reports::{CheckOutcome, Derived, Effect, Guess, Run};

use crate::claim::Claim;
use crate::formula::compute;
use crate::spec::{CheckSpec, DeriveSpec, Must, Spec};

/// Every check of `spec`, by the means over the trials of `run`.
pub(crate) fn checks(spec: &Spec, run: &Run) -> Vec<CheckOutcome> {
    let mut outcomes = Vec::new();
    for check in &spec.check {
        let check = check.get_ref();
        for (index, variant) in run.variants.iter().enumerate() {
            let meant =
                check.of.is_empty() || check.of.iter().any(|name| *name.get_ref() == variant.name);
            if meant {
                outcomes.push(outcome(check, index, run));
            }
        }
    }
    outcomes
}

pub(crate) fn outcome(check: &CheckSpec, variant: usize, run: &Run) -> CheckOutcome {
    let text = check.claim.get_ref();
    let expected = match check.must {
        Must::Hold => Effect::Holds,
        Must::Break => Effect::Breaks,
    };
    let mut outcome = CheckOutcome {
        variant,
        claim: text.clone(),
        expected,
        seen: None,
        detail: "it was not measured".to_owned(),
    };
    let Ok(claim) = text.parse::<Claim>() else {
        return outcome;
    };
    let Some(value) = mean(run, &run.variants[variant].name, &claim.metric) else {
        return outcome;
    };
    let other = match &claim.other {
        None => None,
        Some((name, metric)) => {
            let Some(other) = mean(run, name, metric) else {
                return outcome;
            };
            Some(other)
        }
    };
    outcome.seen = Some(match claim.holds(value, other) {
        true => Effect::Holds,
        false => Effect::Breaks,
    });
    outcome.detail = match (other, &claim.other) {
        (Some(other), Some((name, metric))) => {
            format!(
                "{} is {value:.3}, {name}.{metric} is {other:.3}",
                claim.metric
            )
        }
        _ => format!("{} is {value:.3}", claim.metric),
    };
    outcome
}

/// Every figure that follows from others, block by block.
pub(crate) fn derived(spec: &Spec, run: &Run) -> Vec<Derived> {
    let figure = |derive: &DeriveSpec| Derived {
        label: derive.label.clone(),
        unit: derive.unit.clone(),
        formula: derive.formula.get_ref().clone(),
        values: (0..spec.trials.blocks)
            .filter_map(|block| {
                let text = derive.formula.get_ref();
                compute(text, &mut |name| in_block(run, block, name)).ok()?
            })
            .collect(),
    };
    spec.derive.iter().map(figure).collect()
}

/// The value of a `variant.metric` in a block.
fn in_block(run: &Run, block: u32, name: &str) -> Option<f64> {
    let (variant, metric) = name.split_once('.')?;
    let variant = run.variants.iter().position(|v| v.name == variant)?;
    let trial = run
        .trials
        .iter()
        .find(|t| t.block == block && t.variant == variant)?;
    trial.values.get(metric).copied()
}

/// What the reader guessed, beside what was measured.
pub(crate) fn guess(text: &str, run: &Run) -> Guess {
    let asked = run.experiment.prediction.as_ref();
    let measures = asked.and_then(|asked| asked.measures.as_deref());
    Guess {
        text: text.to_owned(),
        value: text.trim().trim_end_matches(['x', '%']).trim().parse().ok(),
        measured: measures.and_then(|what| reports::measured(run, what)),
    }
}

/// The estimate of a metric over the trials of a variant.
fn mean(run: &Run, variant: &str, metric: &str) -> Option<f64> {
    reports::measured(run, &format!("{variant}.{metric}"))
}
