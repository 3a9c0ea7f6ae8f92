//! The house rules, each a function from the workspace to what it found.
//!
//! Every rule has a test in `tests/it` that plants the fault in a small generated workspace.

pub mod headers;
pub mod layers;
pub mod libraries;
pub mod manifests;
pub mod markdown;
pub mod migrations;
pub mod modules;
pub mod names;
pub mod prices;
pub mod purity;
pub mod sizes;
pub mod words;

use anyhow::Result;

use crate::finding::{Finding, Weight};
use crate::workspace::Workspace;
use crate::{Outcome, graph};

/// A rule: reads the workspace, pushes what it finds.
type Rule = fn(&Workspace, &mut Vec<Finding>);

const RULES: &[Rule] = &[
    layers::check,
    libraries::check,
    manifests::check,
    purity::check,
    names::check,
    sizes::check,
    headers::check,
    migrations::check,
    words::check,
    markdown::check,
    prices::check,
    graph::tidy,
    modules::check,
];

/// Runs every rule and says what it found.
pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let findings = findings(workspace);
    let faults = findings
        .iter()
        .filter(|finding| finding.weight == Weight::Fault)
        .count();
    let mut text: String = findings
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect();
    text.push_str(&format!(
        "tidy: {faults} faults, {} warnings in {} files\n",
        findings.len() - faults,
        workspace.files.len()
    ));
    Ok(Outcome {
        text,
        success: faults == 0,
    })
}

/// What every rule found, sorted by place.
pub fn findings(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        rule(workspace, &mut findings);
    }
    findings.sort();
    findings.dedup();
    findings
}
