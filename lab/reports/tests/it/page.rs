//! The page: what it holds, that it needs nothing else, and that no text becomes markup.

use std::collections::BTreeMap;

use reports::{Run, to_html, to_markdown};

use crate::sample::sample;

const HOSTILE: &str =
    "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\"'&|\u{1b}";

/// The sample with the hostile text in every place that holds a text.
fn hostile() -> Run {
    let mut run = sample();
    let text = || HOSTILE.to_owned();
    run.id = text();
    run.version = text();
    run.notes = vec![text()];
    run.machine.cpu = text();
    run.machine.os = text();
    let experiment = &mut run.experiment;
    for field in [
        &mut experiment.id,
        &mut experiment.title,
        &mut experiment.question,
        &mut experiment.why,
        &mut experiment.lesson,
        &mut experiment.text,
    ] {
        *field = text();
    }
    experiment.look = vec![text()];
    let prediction = experiment.prediction.as_mut().unwrap();
    prediction.question = text();
    prediction.options = vec![text()];
    let system = &mut run.systems[0];
    system.name = text();
    system.topology = text();
    system.store = text();
    system.cache = text();
    system.bus = text();
    system.replicas = BTreeMap::from([(text(), 2)]);
    system.edges.push((text(), "links".to_owned()));
    run.metrics[0].label = text();
    run.metrics[0].unit = text();
    for variant in &mut run.variants {
        variant.name.push_str(HOSTILE);
        variant.label = text();
        variant.settings = BTreeMap::from([(text(), text())]);
    }
    for trial in &mut run.trials {
        trial.limited = Some(text());
        trial.marks[0].text = text();
    }
    for outcome in &mut run.checks {
        outcome.claim = text();
        outcome.detail = text();
    }
    let guess = run.guess.as_mut().unwrap();
    guess.text = text();
    guess.value = None;
    run
}

#[test]
fn the_page_holds_everything() {
    let html = to_html(&sample());
    for part in [
        "What do visitors notice",
        "3 replicas",
        "gateway calls links",
        "too noisy to tell",
        "links, replica 2, killed, from 6 s to 12 s",
        "bad answers",
        "99.9 %",
        "0.13 in trial 5",
        "its lag at p99 was 3 ms",
        "gateway.health_checks",
        "replicas = { links = 3 }",
        "--seed 42",
        "Xeon 2.5 GHz",
        "2026-11-27 07:15 UTC",
    ] {
        assert!(html.contains(part), "no {part}");
    }
    let charts = html.matches("role=img><title>").count();
    assert_eq!(charts, 4, "three variants in time, and the spread");
}

#[test]
fn the_page_needs_nothing_else() {
    let html = to_html(&sample());
    for wanted in [
        "<script", "<link", "<img", "<iframe", "@import", "url(http", "src=", "href=", " style=",
    ] {
        assert!(!html.contains(wanted), "{wanted}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn no_text_becomes_markup() {
    let (html, plain) = (to_html(&hostile()), to_html(&sample()));
    for wanted in ["<script", "<img", "onerror=alert(2)>", "</title></style>"] {
        assert!(!html.contains(wanted), "{wanted}");
    }
    assert!(html.matches("&lt;script&gt;").count() > 40);
    for tag in ["<style", "</style", "<title", "</title", "<svg", "<table"] {
        let (seen, want) = (html.matches(tag).count(), plain.matches(tag).count());
        // The hostile system has another number of services and calls, each with its title.
        let more = if tag.contains("title") { 2 } else { 0 };
        assert!(seen.abs_diff(want) <= more, "{tag}: {seen}, not {want}");
    }
    let markdown = to_markdown(&hostile());
    assert!(!markdown.contains("<script") && !markdown.contains("<img"));
}

#[test]
fn odd_runs_have_a_page_too() {
    let mut run = sample();
    run.trials.clear();
    assert!(!to_html(&run).contains("NaN"));
    run.variants.clear();
    run.checks.clear();
    run.systems.clear();
    assert!(to_html(&run).ends_with("</html>\n"));
    assert!(to_markdown(&run).starts_with("# "));
    let mut run = sample();
    for trial in &mut run.trials {
        trial.latency = vec![(0.5, 0.0), (1.0, 3.0), (f64::NAN, f64::INFINITY)];
        trial.seconds.truncate(1);
        trial.seconds[0].p50_ms = 0.0;
        trial.seconds[0].p99_ms = f64::NAN;
        trial.marks[0].at_s = f64::NAN;
        trial.variant += 1;
    }
    // Calls in a circle, and of oneself.
    run.systems[0]
        .edges
        .push(("links".to_owned(), "gateway".to_owned()));
    run.systems[0]
        .edges
        .push(("links".to_owned(), "links".to_owned()));
    let html = to_html(&run);
    assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
}

#[test]
fn markdown_is_a_page_of_the_documentation() {
    let text = to_markdown(&sample());
    assert!(text.starts_with("# Kill a replica\n"));
    for part in [
        "| p99, ms | nothing |",
        "x1.48",
        "## Where to look",
        "tradewind lab run kill-a-replica --seed 42",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!text.contains("\n\n\n"));
}
