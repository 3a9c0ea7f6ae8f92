//! Whether a run shows that its experiment works: that everything was set up, loaded and measured,
//! and that each of its checks can fail. What the checks found decides nothing here: that takes the
//! trials of the whole form.

mod planted;

use std::collections::BTreeSet;

use reports::{CheckOutcome, Run, Variant};

use crate::judge;
use crate::spec::{CheckSpec, Must, Spec};

/// What a run in the proof form has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// How each check came out in this run, in the order of the file.
    pub checks: Vec<CheckOutcome>,
    /// What is missing for a proof, each with the name of what it is about; nothing when proven.
    pub faults: Vec<String>,
}

/// Judges `run`, which is the proof form of `spec`.
#[must_use]
pub fn prove(spec: &Spec, run: &Run) -> Proof {
    let mut faults = Vec::new();
    if run.ended_early {
        faults.push("it was ended before its time".to_owned());
    }
    for variant in &run.variants {
        of_variant(spec, run, variant, &mut faults);
    }
    for check in &spec.check {
        of_check(spec, check.get_ref(), run, &mut faults);
    }
    let follows = run.derived.iter().filter(|each| each.values.is_empty());
    faults.extend(follows.map(|derived| format!("'{}' has no value", derived.label)));
    Proof {
        checks: judge::checks(spec, run),
        faults,
    }
}

/// That a variant gave good answers and that everything was measured in it.
fn of_variant(spec: &Spec, run: &Run, variant: &Variant, faults: &mut Vec<String>) {
    let name = &variant.name;
    let answered = good(spec).any(|metric| value(run, name, &metric).is_some_and(|v| v > 0.0));
    // Nothing else can be asked of a variant that is meant to break.
    if !answered && may_break(spec, name) {
        return;
    }
    if !answered {
        faults.push(format!("{name} gave no good answer"));
        return;
    }
    let missing = run.metrics.iter().map(|metric| metric.name.as_str());
    let missing: Vec<&str> = missing
        .filter(|metric| value(run, name, metric).is_none())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        faults.push(format!("{missing} was not measured in {name}"));
    }
}

/// The metrics that count good answers.
fn good(spec: &Spec) -> impl Iterator<Item = String> {
    let of_loads = spec.load.request.iter().zip(0..);
    let of_loads = of_loads.map(|(request, number)| match number {
        0 => "good_per_s".to_owned(),
        _ => format!("{}_good_per_s", request.name),
    });
    let of_twins = spec.twins.map(|_| "told".to_owned());
    of_loads.chain(of_twins)
}

fn value(run: &Run, variant: &str, metric: &str) -> Option<f64> {
    reports::measured(run, &format!("{variant}.{metric}"))
}

/// Whether a check says that something breaks in this variant.
fn may_break(spec: &Spec, variant: &str) -> bool {
    let checks = spec.check.iter().map(|check| check.get_ref());
    checks
        .filter(|check| check.must == Must::Break)
        .any(|check| speaks_of(check, variant))
}

fn speaks_of(check: &CheckSpec, variant: &str) -> bool {
    check.of.is_empty() || check.of.iter().any(|of| of.get_ref() == variant)
}

/// That a check was measured wherever it is made, and that it can come out either way there.
fn of_check(spec: &Spec, check: &CheckSpec, run: &Run, faults: &mut Vec<String>) {
    let claim = check.claim.get_ref();
    let variants = run.variants.iter().enumerate();
    let mut seen = BTreeSet::new();
    for (index, variant) in variants.filter(|(_, v)| speaks_of(check, &v.name)) {
        let name = &variant.name;
        seen.insert(name.as_str());
        if judge::outcome(check, index, run).seen.is_none() {
            faults.push(format!("the check '{claim}' was not measured in {name}"));
        } else if !planted::turns(spec, check, index, run) {
            faults.push(format!("the check '{claim}' cannot fail in {name}"));
        }
    }
    let unseen = check.of.iter().map(|of| of.get_ref().as_str());
    for name in unseen.filter(|name| !seen.contains(name)) {
        faults.push(format!("the check '{claim}' was not made in {name}"));
    }
}

#[cfg(test)]
mod tests;
