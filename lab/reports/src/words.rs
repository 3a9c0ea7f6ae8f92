//! Sentences that several forms of report share.

use crate::model::{CheckOutcome, Effect, Metric, Run};
use crate::number;
use crate::summary::Summary;

/// `p99, ms`.
pub(crate) fn heading(metric: &Metric) -> String {
    if metric.unit.is_empty() {
        metric.label.clone()
    } else {
        format!("{}, {}", metric.label, metric.unit)
    }
}

/// What a verdict rests on, in words.
pub(crate) fn rule(run: &Run, summary: &Summary) -> String {
    let trials = run.trials.len();
    format!(
        "{trials} trials. A value is the mean over a variant's trials (the geometric mean where ratios are \
         compared). Differences are of pairs of trials that ran right after each other (paired t). One is \
         claimed when it stands out after Holm's correction over all {} comparisons of the run, so that a run \
         without any difference claims one in at most 5 of 100 cases.",
        summary.comparisons
    )
}

/// The run's notes, and what the load generator said of itself.
pub(crate) fn notes(run: &Run) -> Vec<String> {
    let mut notes = run.notes.clone();
    let mut limited: Vec<String> = Vec::new();
    for (trial, number) in run.trials.iter().zip(1..) {
        if let Some(why) = &trial.limited {
            limited.push(format!("{number} ({why})"));
        }
    }
    if !limited.is_empty() {
        limited.truncate(20);
        notes.push(format!(
            "The load generator was the bottleneck in trial {}.",
            limited.join(", ")
        ));
    }
    notes
}

/// What was expected and what came of it: `must hold, and broke: 12 clicks are lost`.
pub(crate) fn said(outcome: &CheckOutcome) -> String {
    let must = match outcome.expected {
        Effect::Holds => "must hold",
        Effect::Breaks => "must break",
    };
    let seen = match (outcome.seen, outcome.passed()) {
        (None, _) => "could not be told",
        (Some(Effect::Holds), true) => "and holds",
        (Some(Effect::Breaks), true) => "and breaks",
        (Some(Effect::Holds), false) => "but holds",
        (Some(Effect::Breaks), false) => "but breaks",
    };
    if outcome.detail.is_empty() {
        format!("{must}, {seen}")
    } else {
        format!("{must}, {seen}: {}", outcome.detail)
    }
}

/// `seed 7 · tradewind 0.1.0 · 2 cores, .. · took 48 s · quick`.
pub(crate) fn footer(run: &Run) -> String {
    let machine = &run.machine;
    let quick = if run.quick { " · quick form" } else { "" };
    format!(
        "seed {} · tradewind {} · {} cores, {}, {} MiB, {} · took {}{quick}",
        run.seed,
        run.version,
        machine.cores,
        machine.cpu,
        machine.memory_mib,
        machine.os,
        number::seconds(run.elapsed_s)
    )
}

/// At most so many characters.
pub(crate) fn clip(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return printable(text);
    }
    let short: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", printable(&short))
}

/// Without what would steer a terminal.
pub(crate) fn printable(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).collect()
}

/// The command that runs the same again.
pub(crate) fn command(run: &Run) -> String {
    // What is pasted into a shell holds nothing but a name.
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name: String = run.experiment.id.chars().filter(plain).collect();
    let quick = if run.quick { " --quick" } else { "" };
    format!("tradewind lab run {name}{quick} --seed {}", run.seed)
}
