//! The page around the charts: head, checks, notes, settings, the experiment's file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::esc;
use crate::date;
use crate::model::{Effect, Run};
use crate::summary::Summary;
use crate::words::{command, footer, notes, said};

/// Nothing is loaded and nothing runs, wherever the page is opened.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = include_str!("report.css");

/// Everything up to and including the question.
pub(super) fn head(out: &mut String, run: &Run, summary: &Summary) {
    let experiment = &run.experiment;
    let quick = if run.quick { " · quick form" } else { "" };
    let outcome = if summary.passed { "good" } else { "bad" };
    let sign = if summary.passed { "✓" } else { "✗" };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=en>\n<head><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\">\
         <meta http-equiv=Content-Security-Policy content=\"{POLICY}\">\n\
         <title>{} · {}</title>\n<style>{STYLE}</style></head>\n<body>\n<header>\
         <p class=quiet>Tradewind lab · {}{quick} · {}</p>\n<h1>{}</h1>\n<p class=question>{}</p>\n\
         <p class=outcome><b class=\"{outcome}\">{sign} {}</b></p></header>\n<main>\n",
        esc(&experiment.title),
        esc(&run.id),
        esc(&experiment.id),
        date::minute(run.started_at),
        esc(&experiment.title),
        esc(&experiment.question),
        esc(&summary.outcome())
    );
}

/// What to read before, and the question that was asked.
pub(super) fn why(out: &mut String, run: &Run) {
    let experiment = &run.experiment;
    section(out, "Why it matters", &experiment.why);
    if let Some(prediction) = &experiment.prediction {
        let _ = write!(
            out,
            "<section><h2>What would you guess?</h2><p>{}</p>",
            esc(&prediction.question)
        );
        if !prediction.options.is_empty() {
            out.push_str("<ul>");
            for option in &prediction.options {
                let _ = write!(out, "<li>{}", esc(option));
            }
            out.push_str("</ul>");
        }
        out.push_str("</section>\n");
    }
}

/// Everything below the charts.
pub(super) fn rest(out: &mut String, run: &Run, summary: &Summary) {
    derived(out, summary);
    checks(out, run);
    if let Some(guess) = &summary.guess {
        section(out, "The guess", &guess.words);
    }
    section(out, "What it means", &run.experiment.lesson);
    list(out, "Where to look", &run.experiment.look);
    list(out, "Notes", &notes(run));
    settings(out, run);
    let _ = write!(
        out,
        "<section><h2>The experiment</h2><details><summary>{}.toml, as it was run</summary><pre tabindex=0>{}</pre></details>\n\
         <p>Run it again: <code>{}</code></p></section>\n</main>\n\
         <footer><p class=quiet>{} · {}</p></footer>\n</body>\n</html>\n",
        esc(&run.experiment.id),
        esc(&run.experiment.text),
        esc(&command(run)),
        esc(&run.id),
        esc(&footer(run))
    );
}

/// What follows from several variants.
fn derived(out: &mut String, summary: &Summary) {
    if summary.derived.is_empty() {
        return;
    }
    out.push_str(
        "<section><h2>What follows</h2><div class=wide tabindex=0 role=region aria-label=\"What follows\"><table>\
         <thead><tr><th scope=col>Figure<th scope=col>Value<th scope=col>95 % interval<th scope=col>Formula</tr></thead><tbody>\n",
    );
    for figure in &summary.derived {
        let _ = writeln!(
            out,
            "<tr><th scope=row>{}<td>{}<td>{}<td><code>{}</code></tr>",
            esc(&figure.label),
            esc(&figure.said()),
            esc(&figure.interval()),
            esc(&figure.formula)
        );
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn checks(out: &mut String, run: &Run) {
    if run.checks.is_empty() {
        return;
    }
    out.push_str(
        "<section><h2>Checks</h2><div class=wide tabindex=0 role=region aria-label=Checks><table class=checks><thead><tr><th scope=col>Outcome\
         <th scope=col>Variant<th scope=col>Claim<th scope=col>What came of it</tr></thead><tbody>\n",
    );
    for outcome in &run.checks {
        let (class, word) = match (outcome.seen, outcome.passed()) {
            (None, _) => ("unsure", "? not told"),
            (_, true) => ("good", "✓ as expected"),
            (Some(Effect::Holds | Effect::Breaks), false) => ("bad", "✗ otherwise"),
        };
        let name = run.variants.get(outcome.variant);
        let _ = writeln!(
            out,
            "<tr><td class=\"v {class}\">{word}<td>{}<td>{}<td>{}</tr>",
            esc(name.map_or("?", |variant| variant.name.as_str())),
            esc(&outcome.claim),
            esc(&said(outcome))
        );
    }
    out.push_str("</tbody></table></div></section>\n");
}

/// What each variant is made of; what differs from the first stands out.
fn settings(out: &mut String, run: &Run) {
    let keys: BTreeSet<&String> = run
        .variants
        .iter()
        .flat_map(|variant| variant.settings.keys())
        .collect();
    if keys.is_empty() {
        return;
    }
    out.push_str("<section><h2>Settings</h2><div class=wide tabindex=0 role=region aria-label=Settings><table><thead><tr><th scope=col>Setting");
    for variant in &run.variants {
        let _ = write!(out, "<th scope=col>{}", esc(&variant.name));
    }
    out.push_str("</tr></thead><tbody>\n");
    for key in keys {
        let _ = write!(out, "<tr><th scope=row>{}", esc(key));
        let first = run
            .variants
            .first()
            .and_then(|variant| variant.settings.get(key));
        for variant in &run.variants {
            let value = variant.settings.get(key);
            let text = esc(value.map_or("as it is by default", String::as_str));
            let cell = if value == first {
                text
            } else {
                format!("<b>{text}</b>")
            };
            let _ = write!(out, "<td>{cell}");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn list(out: &mut String, title: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    let _ = write!(out, "<section><h2>{title}</h2><ul>");
    for text in texts {
        let _ = write!(out, "<li>{}", esc(text));
    }
    out.push_str("</ul></section>\n");
}

/// A text with its paragraphs.
fn section(out: &mut String, title: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    let _ = write!(out, "<section><h2>{title}</h2>");
    for paragraph in text.split("\n\n").filter(|each| !each.trim().is_empty()) {
        let _ = write!(out, "<p>{}</p>", esc(paragraph.trim()));
    }
    out.push_str("</section>\n");
}
