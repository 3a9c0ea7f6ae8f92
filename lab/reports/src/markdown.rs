//! A run as a page of the documentation.

use std::fmt::Write as _;

use crate::date;
use crate::model::Run;
use crate::number;
use crate::summary::{Summary, summary};
use crate::words::{command, footer, heading, notes, rule, said};

/// A run as Markdown: question, why, prediction, table, checks, lesson, and the command that makes it.
#[must_use]
pub fn to_markdown(run: &Run) -> String {
    let summary = summary(run);
    let experiment = &run.experiment;
    let mut out = format!(
        "# {}\n\n{}\n",
        text(&experiment.title),
        text(&experiment.question)
    );
    section(&mut out, "Why it matters", &experiment.why);
    if let Some(prediction) = &experiment.prediction {
        section(&mut out, "What would you guess?", &prediction.question);
        if !prediction.options.is_empty() {
            list(&mut out, &prediction.options);
        }
    }
    table(&mut out, &summary);
    derived(&mut out, &summary);
    let _ = write!(
        out,
        "\n{}\n\n{}\n",
        text(&summary.noise.text),
        text(&rule(run, &summary))
    );
    if !run.checks.is_empty() {
        let _ = write!(
            out,
            "\n## Checks\n\n{}.\n\n| outcome | variant | claim | what came of it |\n|---|---|---|---|\n",
            summary.outcome()
        );
        for outcome in &run.checks {
            let word = match (outcome.seen, outcome.passed()) {
                (None, _) => "not told",
                (_, true) => "as expected",
                (_, false) => "**otherwise**",
            };
            let name = run.variants.get(outcome.variant);
            let _ = writeln!(
                out,
                "| {word} | {} | {} | {} |",
                cell(name.map_or("?", |variant| variant.name.as_str())),
                cell(&outcome.claim),
                cell(&said(outcome))
            );
        }
    }
    if let Some(guess) = &summary.guess {
        section(&mut out, "The guess", &guess.words);
    }
    section(&mut out, "What it means", &experiment.lesson);
    for (title, texts) in [("Where to look", &experiment.look), ("Notes", &notes(run))] {
        if !texts.is_empty() {
            let _ = write!(out, "\n## {title}\n\n");
            list(&mut out, texts);
        }
    }
    let _ = write!(
        out,
        "\n## How it was made\n\n```\n{}\n```\n\n{}, on {}.\n",
        command(run),
        text(&footer(run)),
        date::minute(run.started_at)
    );
    out
}

fn table(out: &mut String, summary: &Summary) {
    let first = summary
        .variants
        .first()
        .map_or("", |found| found.name.as_str());
    let _ = write!(
        out,
        "\n## What was measured\n\n| | variant | value | 95 % interval | against {} | 95 % interval | verdict |\n|---|---|---|---|---|---|---|\n",
        cell(first)
    );
    for (index, metric) in summary.metrics.iter().enumerate() {
        for (variant, found) in summary.variants.iter().enumerate() {
            let estimate = &found.estimates[index];
            let title = if variant == 0 {
                cell(&heading(metric))
            } else {
                String::new()
            };
            let (against, interval) = match &estimate.difference {
                Some(difference) => (
                    number::difference(difference),
                    number::difference_interval(difference),
                ),
                None => Default::default(),
            };
            let verdict = if variant == 0 {
                ""
            } else {
                estimate.verdict.words()
            };
            let _ = writeln!(
                out,
                "| {title} | {} | {} | {} | {against} | {interval} | {verdict} |",
                cell(&found.name),
                number::value(estimate),
                number::interval(estimate)
            );
        }
    }
}

fn derived(out: &mut String, summary: &Summary) {
    if summary.derived.is_empty() {
        return;
    }
    out.push_str("\n## What follows\n\n| | value | 95 % interval | formula |\n|---|---|---|---|\n");
    for figure in &summary.derived {
        let _ = writeln!(
            out,
            "| {} | {} | {} | `{}` |",
            cell(&figure.label),
            cell(&figure.said()),
            figure.interval(),
            cell(&figure.formula)
        );
    }
}

fn section(out: &mut String, title: &str, body: &str) {
    if body.trim().is_empty() {
        return;
    }
    let _ = write!(out, "\n## {title}\n");
    for paragraph in body.split("\n\n").filter(|each| !each.trim().is_empty()) {
        let _ = write!(
            out,
            "\n{}\n",
            text(&paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        );
    }
}

fn list(out: &mut String, texts: &[String]) {
    for each in texts {
        let _ = writeln!(out, "- {}", text(each));
    }
}

/// One sentence per line, and nothing that is HTML.
fn text(text: &str) -> String {
    let plain = text.replace('<', "&lt;");
    let plain: String = plain.chars().filter(|c| !c.is_control()).collect();
    plain.replace(". ", ".\n").replace("? ", "?\n")
}

/// As a cell of a table.
fn cell(text: &str) -> String {
    let plain = text.replace('<', "&lt;").replace('|', "\\|");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
