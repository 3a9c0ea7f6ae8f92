//! A run for the terminal, in at most 100 columns, and for programs.

use serde::Serialize;

use crate::estimate::Estimate;
use crate::model::Run;
use crate::number;
use crate::summary::{Summary, summary};
use crate::words::{clip, footer, heading, notes, printable, said};

/// Columns at most.
const WIDTH: usize = 100;

/// The width of the column of names, at most.
const NAME_MAX: usize = 26;

/// A run and what follows from it.
#[derive(Serialize)]
struct Both<'a> {
    run: &'a Run,
    summary: Summary,
}

/// A run and what follows from it, as one JSON object: `{"run": .., "summary": ..}`.
#[must_use]
pub fn to_json(run: &Run) -> String {
    let both = Both {
        run,
        summary: summary(run),
    };
    serde_json::to_string_pretty(&both).expect("strings, numbers and lists always become JSON")
}

/// A run as text for a terminal.
#[must_use]
pub fn to_text(run: &Run) -> String {
    let summary = summary(run);
    let mut lines = Vec::new();
    lines.push(format!("{} · {}", run.experiment.title, run.id));
    wrap(&mut lines, &run.experiment.question, "");
    lines.push(String::new());
    table(&mut lines, &summary);
    derived(&mut lines, &summary);
    lines.push(String::new());
    wrap(&mut lines, &summary.noise.text, "");
    if summary.comparisons > 0 {
        let count = summary.comparisons;
        let rule = format!(
            "Intervals are of 95 %. A difference is claimed after Holm's correction over {count} comparisons."
        );
        wrap(&mut lines, &rule, "");
    }
    checks(&mut lines, run, &summary);
    if let Some(guess) = &summary.guess {
        lines.push(String::new());
        wrap(&mut lines, &guess.words, "");
    }
    section(&mut lines, "Notes", &notes(run));
    let lesson: Vec<String> = run.experiment.lesson.lines().map(str::to_owned).collect();
    section(&mut lines, "What it means", &lesson);
    section(&mut lines, "Where to look", &run.experiment.look);
    lines.push(String::new());
    wrap(&mut lines, &footer(run), "");
    lines.push(summary.outcome());
    lines.join("\n") + "\n"
}

/// A block for each metric, a line for each variant.
fn table(lines: &mut Vec<String>, summary: &Summary) {
    let names = summary
        .variants
        .iter()
        .map(|found| found.name.chars().count());
    let longest = names.max().unwrap_or(0).clamp(10, NAME_MAX);
    let first = summary
        .variants
        .first()
        .map_or("", |found| found.name.as_str());
    let against = clip(&format!("against {first}"), 30);
    lines.push(format!(
        "  {:<longest$}  {:>9}  {:<19}  {against}",
        "", "value", "95 % interval"
    ));
    for (index, metric) in summary.metrics.iter().enumerate() {
        lines.push(heading(metric));
        for found in &summary.variants {
            let name = clip(&found.name, longest);
            let line = row(&found.estimates[index]);
            lines.push(format!("  {name:<longest$}  {line}").trim_end().to_owned());
        }
    }
}

/// What follows from several variants.
fn derived(lines: &mut Vec<String>, summary: &Summary) {
    if summary.derived.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push("What follows".to_owned());
    for figure in &summary.derived {
        let (said, interval) = (figure.said(), figure.interval());
        wrap(
            lines,
            &format!("{}: {said} ({interval})", figure.label),
            "  ",
        );
    }
}

fn row(estimate: &Estimate) -> String {
    let (value, interval) = (number::value(estimate), number::interval(estimate));
    let against = match (&estimate.difference, estimate.verdict) {
        (_, crate::Verdict::First) => String::new(),
        (Some(difference), verdict) => format!(
            "{:<8} {:<17} {}",
            number::difference(difference),
            number::difference_interval(difference),
            verdict.words()
        ),
        (None, verdict) => verdict.words().to_owned(),
    };
    format!("{value:>9}  {interval:<19}  {against}")
}

fn checks(lines: &mut Vec<String>, run: &Run, summary: &Summary) {
    if run.checks.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(format!("Checks: {}", summary.outcome()));
    for outcome in &run.checks {
        let name = run.variants.get(outcome.variant);
        let name = name.map_or("?", |variant| variant.name.as_str());
        let line = format!("{}: {}: {}", name, outcome.claim, said(outcome));
        let mark = if outcome.passed() {
            "  ok    "
        } else {
            "  FAIL  "
        };
        let mark = if outcome.seen.is_none() {
            "  ?     "
        } else {
            mark
        };
        wrap(lines, &line, mark);
    }
}

fn section(lines: &mut Vec<String>, title: &str, texts: &[String]) {
    if texts.iter().all(|text| text.trim().is_empty()) {
        return;
    }
    lines.push(String::new());
    lines.push(title.to_owned());
    for text in texts {
        wrap(lines, text, "  ");
    }
}

/// Breaks a text into lines; those after the first are indented by as much as `lead` takes.
pub(crate) fn wrap(lines: &mut Vec<String>, text: &str, lead: &str) {
    let indent = " ".repeat(lead.chars().count());
    let mut line = lead.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + word.chars().count() + 1;
        if !empty && length > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&printable(word));
        empty = false;
    }
    lines.push(line.trim_end().to_owned());
}
