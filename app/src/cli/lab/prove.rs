//! Proves that an experiment works, in the shortest form that shows it.

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use experiments::{Form, Proof, Wanted, prove as judged};
use reports::{Effect, Run};
use serde_json::json;

use super::super::output::Output;
use super::args::ProveArgs;
use super::library;
use super::run::in_turn;
use super::shelf::Shelf;

/// Runs the proof form and says what it has shown. A run that proves nothing is kept, for whoever
/// looks for the reason; the figures of the others are worth nothing.
pub(super) fn prove(args: &ProveArgs, output: Output) -> Result<ExitCode> {
    let spec = library::find(&args.experiment)?;
    let shelf = Shelf::of(&args.place);
    let wanted = Wanted {
        form: Form::Proof,
        seed: args.seed,
        guess: None,
    };
    let mut runs = in_turn(vec![spec.clone()], &wanted, None, &shelf)?;
    let mut run = runs.pop().context("nothing was run")?;
    run.notes.push(NOTE.to_owned());
    let mut proof = judged(&spec, &run);
    if let Err(error) = in_all_forms(&run) {
        proof.faults.push(error.to_string());
    }
    let kept = match proof.faults.is_empty() {
        true => None,
        false => {
            shelf.keep(&mut run)?;
            Some(run.id.as_str())
        }
    };
    output.say(&to_text(&proof, &run), &to_json(&proof, &run, kept))?;
    if let Some(id) = kept {
        let faults = proof.faults.join("; ");
        anyhow::bail!("{} is not proven: {faults}; run {id}", args.experiment);
    }
    Ok(ExitCode::SUCCESS)
}

const NOTE: &str = "The proof form: one short trial of each variant, which shows that the \
                    experiment works and says nothing of its question.";

/// That the report can be made in every form.
fn in_all_forms(run: &Run) -> Result<()> {
    let json: serde_json::Value = serde_json::from_str(&reports::to_json(run))?;
    let read: Run = serde_json::from_value(json["run"].clone()).context("the report as JSON")?;
    // Fractions may differ in their last digit.
    let same = (&read.id, &read.variants, read.trials.len());
    let recorded = (&run.id, &run.variants, run.trials.len());
    ensure!(
        same == recorded,
        "the report as JSON is not what was recorded"
    );
    for (form, text, end) in [
        ("text", reports::to_text(run), ""),
        ("HTML", reports::to_html(run), "</html>"),
        ("Markdown", reports::to_markdown(run), ""),
    ] {
        let whole = !text.trim().is_empty() && text.trim_end().ends_with(end);
        ensure!(whole, "the report as {form} is not whole");
        for variant in &run.variants {
            let named = text.contains(&variant.name);
            ensure!(named, "the report as {form} has no {}", variant.name);
        }
    }
    Ok(())
}

fn to_text(proof: &Proof, run: &Run) -> String {
    let mut lines = vec![format!(
        "{}: {} variants, {} checks, {:.1} s, seed {}",
        run.experiment.id,
        run.variants.len(),
        proof.checks.len(),
        run.elapsed_s,
        run.seed
    )];
    lines.extend(proof.checks.iter().map(|check| {
        let how = match check.passed() {
            true => "as expected         ",
            false => "not as expected here",
        };
        let must = match check.expected {
            Effect::Holds => "must hold",
            Effect::Breaks => "must break",
        };
        let (variant, claim) = (&run.variants[check.variant].name, &check.claim);
        format!("  {how}  {variant}: {claim} {must} ({})", check.detail)
    }));
    if proof.faults.is_empty() {
        lines.push("proven: it runs, and each check can fail".to_owned());
    }
    lines.join("\n")
}

fn to_json(proof: &Proof, run: &Run, kept: Option<&str>) -> serde_json::Value {
    let checks = proof.checks.iter().map(|check| {
        json!({
            "variant": run.variants[check.variant].name, "claim": check.claim,
            "must": check.expected, "as_expected": check.passed(), "detail": check.detail,
        })
    });
    json!({
        "experiment": run.experiment.id, "elapsed_s": run.elapsed_s, "seed": run.seed,
        "checks": checks.collect::<Vec<_>>(), "faults": proof.faults, "run": kept,
    })
}
