//! Proofs of planted runs: one in which everything is there, and the same with one fault each.

use kernel::Timestamp;
use reports::{Derived, Trial};

use super::*;
use crate::machine;
use crate::spec::Form;

const TEXT: &str = r#"
id = "caches"
title = "Caches"
question = "What does a cache save?"
phase = 3
why = "w"
lesson = "l"
[[variant]]
name = "aside"
[[variant]]
name = "none"
[load]
request = [{ name = "redirect", path = "/{code}" }, { name = "edit", path = "/api" }]
[[measure]]
name = "reads_percent"
unit = "%"
counter = ["reads"]
per = ["visits"]
[[derive]]
label = "saved"
formula = "none.cpu_us - aside.cpu_us"
[[check]]
claim = "error_percent <= 1"
[[check]]
of = ["none"]
claim = "cpu_us > 1.5 * aside.cpu_us"
[[check]]
of = ["aside"]
claim = "reads_percent == 0"
must = "break"
"#;

fn spec(text: &str) -> Spec {
    Spec::read("caches.toml", text).unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// A run of `spec` in which each metric of each variant is 2, and no errors were seen.
fn run(spec: &Spec) -> Run {
    let mut run = machine::run(spec, Timestamp::from_secs(0), Form::Proof, 1);
    let of = |name: &str| match name.ends_with("error_percent") {
        true => 0.0,
        false => 2.0,
    };
    let metrics = run.metrics.iter();
    let values = metrics.map(|metric| (metric.name.clone(), of(&metric.name)));
    let values: std::collections::BTreeMap<String, f64> = values.collect();
    let trial = |variant| Trial {
        variant,
        block: 0,
        started_at: 0,
        elapsed_s: 1.0,
        values: values.clone(),
        latency: Vec::new(),
        seconds: Vec::new(),
        marks: Vec::new(),
        limited: None,
    };
    run.trials = (0..run.variants.len()).map(trial).collect();
    run.derived = vec![Derived {
        label: "saved".to_owned(),
        unit: String::new(),
        formula: String::new(),
        values: vec![1.0],
    }];
    run
}

/// The faults of a run of `text` that `change` has changed.
fn faults(text: &str, change: impl Fn(&mut Run)) -> Vec<String> {
    let spec = spec(text);
    let mut run = run(&spec);
    change(&mut run);
    prove(&spec, &run).faults
}

#[test]
fn what_was_measured_and_can_fail_is_proven_whatever_its_checks_found() {
    let spec = spec(TEXT);
    let proof = prove(&spec, &run(&spec));
    assert_eq!(proof.faults, [""; 0]);
    let told = proof
        .checks
        .iter()
        .map(|check| (check.variant, check.passed()));
    let told: Vec<_> = told.collect();
    assert_eq!(told, [(0, true), (1, true), (1, false), (0, true)]);
    let detail = &proof.checks[2].detail;
    assert!(detail.contains("cpu_us is 2"), "{detail}");
}

#[test]
fn what_was_not_measured_is_named_with_its_variant() {
    let without = |variant: usize, metric: &'static str| {
        faults(TEXT, move |run| {
            run.trials[variant].values.remove(metric);
        })
    };
    assert_eq!(without(1, "p90_ms"), ["p90_ms was not measured in none"]);
    let of_check = "the check 'error_percent <= 1' was not measured in aside";
    assert_eq!(
        without(0, "error_percent"),
        ["error_percent was not measured in aside", of_check]
    );
    // The other side of a check counts as well.
    let other = "the check 'cpu_us > 1.5 * aside.cpu_us' was not measured in none";
    assert!(without(0, "cpu_us").contains(&other.to_owned()));
    let measure = "reads_percent was not measured in none";
    assert_eq!(without(1, "reads_percent"), [measure]);
    let derived = faults(TEXT, |run| run.derived[0].values.clear());
    assert_eq!(derived, ["'saved' has no value"]);
    let early = faults(TEXT, |run| run.ended_early = true);
    assert_eq!(early, ["it was ended before its time"]);
    let gone = faults(TEXT, |run| {
        run.variants.pop();
        run.trials.pop();
    });
    let gone_check = "the check 'cpu_us > 1.5 * aside.cpu_us' was not made in none";
    assert_eq!(gone, [gone_check]);
}

#[test]
fn a_variant_that_answered_nothing_is_named_unless_it_is_meant_to_break() {
    let silent = |variant: usize| {
        faults(TEXT, move |run| {
            for metric in ["good_per_s", "edit_good_per_s"] {
                run.trials[variant].values.insert(metric.to_owned(), 0.0);
            }
        })
    };
    assert_eq!(silent(1), ["none gave no good answer"]);
    assert_eq!(silent(0), [""; 0], "aside must break something");
    let one_kind = faults(TEXT, |run| {
        run.trials[1].values.insert("good_per_s".to_owned(), 0.0);
    });
    assert_eq!(one_kind, [""; 0], "another kind was answered");
}

#[test]
fn a_check_that_no_value_can_turn_is_named() {
    for (check, variants) in [
        // Higher than anything that is ever measured, which the file alone cannot tell.
        ("claim = \"good_per_s < 1e30\"", &["aside", "none"][..]),
        ("claim = \"cpu_us <= 1e30\"\nof = [\"none\"]", &["none"]),
        (
            "claim = \"cpu_us > 1e30\"\nof = [\"none\"]\nmust = \"break\"",
            &["none"],
        ),
        // One that can never hold, and one that says of a variant what it says of itself.
        (
            "claim = \"reads_percent > 100\"\nof = [\"none\"]",
            &["none"],
        ),
        ("claim = \"cpu_us >= 0.5 * aside.cpu_us\"", &["aside"]),
    ] {
        let text = format!("{TEXT}[[check]]\n{check}\n");
        let claim = check.split('"').nth(1).expect("a claim");
        let told: Vec<_> = variants
            .iter()
            .map(|variant| format!("the check '{claim}' cannot fail in {variant}"))
            .collect();
        assert_eq!(faults(&text, |_| {}), told, "{check}");
    }
}

#[test]
fn a_check_can_fail_whatever_the_run_happened_to_see() {
    // Below a share of nothing there is nothing: the other side has to move, too.
    let text = format!(
        "{TEXT}[[check]]\nof = [\"none\"]\nclaim = \"reads_percent < 0.5 * aside.reads_percent\"\n"
    );
    let nothing = |run: &mut Run| {
        for trial in &mut run.trials {
            for metric in ["reads_percent", "cpu_us"] {
                trial.values.insert(metric.to_owned(), 0.0);
            }
        }
    };
    assert_eq!(faults(&text, nothing), [""; 0]);
}

#[test]
fn a_time_may_be_longer_than_a_trial_of_the_proof() {
    let text = TEXT.replace(
        "[load]",
        "[recovery]\nfrom_s = 1\nuntil_s = 3\n[proof]\npace = 2\n[load]",
    );
    let text = format!("{text}[[check]]\nclaim = \"recovery_s <= 4\"\n");
    // A trial of the proof lasts 2.5 s, one of the whole form 5 s: there it can fail.
    assert_eq!(spec(&text).proof().trials.seconds, 2.5);
    assert_eq!(faults(&text, |_| {}), [""; 0]);
}
