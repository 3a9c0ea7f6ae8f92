//! Every form of report, of the sample.

use reports::{Summary, Verdict, measured, summary, to_html, to_json, to_markdown, to_text};

use crate::sample::sample;

fn verdict(summary: &Summary, variant: &str, metric: &str) -> Verdict {
    let found = summary
        .variants
        .iter()
        .find(|found| found.name == variant)
        .unwrap();
    found
        .estimates
        .iter()
        .find(|each| each.metric == metric)
        .unwrap()
        .verdict
}

#[test]
fn the_summary_says_what_differs() {
    let summary = summary(&sample());
    assert_eq!(verdict(&summary, "nothing", "p99_ms"), Verdict::First);
    assert_eq!(
        verdict(&summary, "health_checks", "errors_pct"),
        Verdict::Better
    );
    assert_eq!(
        verdict(&summary, "health_checks", "p50_ms"),
        Verdict::NoDifferenceSeen
    );
    assert_eq!(
        verdict(&summary, "checks_and_retries", "p99_ms"),
        Verdict::Worse
    );
    assert_eq!(
        verdict(&summary, "checks_and_retries", "cpu_us"),
        Verdict::TooNoisy
    );
    assert_eq!(summary.comparisons, 14);
    assert!(!summary.passed);
    assert_eq!(summary.outcome(), "failed, 1 of 4 checks");
    assert_eq!(summary.noise.limited, 1);
}

#[test]
fn a_guess_is_set_beside_what_was_measured() {
    let run = sample();
    let guessed = summary(&run).guess.unwrap();
    assert!(guessed.words.ends_with("close."), "{}", guessed.words);
    let ratio = measured(&run, "checks_and_retries/nothing.p99_ms").unwrap();
    assert!((1.3..1.8).contains(&ratio), "{ratio}");
    assert_eq!(measured(&run, "nobody.p99_ms"), None);
}

#[test]
fn the_text_fits_a_terminal() {
    let text = to_text(&sample());
    for line in text.lines() {
        assert!(
            line.chars().count() <= 100,
            "{} columns: {line}",
            line.chars().count()
        );
    }
    for part in [
        "p99, ms",
        "against nothing",
        "too noisy to tell",
        "FAIL",
        "Where to look",
        "seed 42",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let mut run = sample();
    run.variants[0].name = "\u{1b}[31mred".to_owned();
    run.notes = vec!["\u{1b}]0;title\u{7}".to_owned()];
    assert!(!to_text(&run).contains('\u{1b}'));
}

#[test]
fn json_holds_the_run_and_its_summary() {
    let run = sample();
    let value: serde_json::Value = serde_json::from_str(&to_json(&run)).unwrap();
    let again: reports::Run = serde_json::from_value(value["run"].clone()).unwrap();
    // Values may lose their last bit on the way; everything else is the same.
    assert_eq!(to_text(&again), to_text(&run));
    assert_eq!(again.trials[0].marks, run.trials[0].marks);
    let found: Summary = serde_json::from_value(value["summary"].clone()).unwrap();
    assert_eq!(found.comparisons, summary(&run).comparisons);
}

/// Writes every form to a folder for whoever wants to look: `SAMPLE_DIR=.. cargo test -p reports look`.
#[test]
fn look_at_the_sample() {
    let Some(folder) = std::env::var_os("SAMPLE_DIR") else {
        return;
    };
    let folder = std::path::Path::new(&folder);
    let run = sample();
    std::fs::create_dir_all(folder).unwrap();
    for (name, text) in [
        ("run.txt", to_text(&run)),
        ("compare.txt", reports::compare(&run, &run).to_text()),
        ("report.html", to_html(&run)),
        ("report.md", to_markdown(&run)),
        ("run.json", serde_json::to_string(&run).unwrap()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn what_follows_from_several_variants_stands_in_every_form() {
    let run = sample();
    let summary = summary(&run);
    let figure = &summary.derived[0];
    assert_eq!(figure.value, Some(5.0));
    // Student's t with two degrees of freedom: 4.3027 times 1 / sqrt(3).
    let (low, high) = (figure.low.unwrap(), figure.high.unwrap());
    assert!(
        (low - 2.515_86).abs() < 1e-4 && (high - 7.484_14).abs() < 1e-4,
        "{figure:?}"
    );
    assert!(to_text(&run).contains("what <b>aside</b> saves: 5 ms (2.52 to 7.48)"));
    assert!(to_markdown(&run).contains("5 ms | 2.52 to 7.48 | `none.p50_ms - aside.p50_ms` |"));
    let html = to_html(&run);
    assert!(html.contains("what &lt;b&gt;aside&lt;/b&gt; saves") && !html.contains("<b>aside"));
}
