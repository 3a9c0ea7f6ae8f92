//! The list of experiments, and for machines that of prices beside it: what each is about and how long a proof takes.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;
use experiments::{Catalogue, Spec};
use serde_json::json;

use super::super::output::{Output, table};
use super::library::{all, catalogue};
use super::{bad, prices};

pub(super) fn list(output: Output) -> Result<ExitCode> {
    let all = all()?;
    let catalogue = catalogue();
    let mut rows = vec![
        ["EXPERIMENT", "PHASE", "QUESTION"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(all.iter().map(|spec| {
        let phase = spec.phase.get_ref().to_string();
        vec![spec.id.get_ref().clone(), phase, spec.question.clone()]
    }));
    let json: Vec<_> = all
        .iter()
        .map(|spec| {
            json!({
                "id": spec.id.get_ref(), "title": spec.title, "question": spec.question,
                "phase": spec.phase.get_ref(), "services": services(spec, &catalogue),
                "proof_s": rounded(spec.clone().proof().about_s()),
            })
        })
        .collect();
    let prices: Vec<_> = prices::all()
        .map_err(bad)?
        .iter()
        .map(|plan| {
            json!({
                "id": plan.knob.name, "services": services(&plan.spec, &catalogue),
                "proof_s": rounded(plan.spec.clone().quick().about_s()),
            })
        })
        .collect();
    let json = json!({ "experiments": json, "prices": prices });
    output.say(&table(&rows), &json)
}

/// The parts of the program that an experiment is about: its services, those of the lab's stage as
/// one, and the twins.
fn services(spec: &Spec, catalogue: &Catalogue) -> BTreeSet<String> {
    let mut parts: BTreeSet<String> = spec.services(catalogue);
    if parts.is_empty() {
        parts.insert("twins".to_owned());
    }
    let of_stage = |name: &String| crate::compose::is_of_stage(name);
    if parts.iter().any(of_stage) {
        parts.retain(|name| !of_stage(name));
        parts.insert("stage".to_owned());
    }
    parts
}

/// Tenths of seconds are more than anybody knows beforehand.
fn rounded(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}
