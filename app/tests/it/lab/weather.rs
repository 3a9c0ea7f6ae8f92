//! What happens during a trial, and what it does to the values.

use reports::{Mark, MarkKind, Trial};

use super::{run, small, trials};
use crate::program::temporary;

const TWO: &str = "[[variant]]\nname = 'calm'\n[[variant]]\nname = 'stormy'\n";

fn marks(trial: &Trial, kind: MarkKind) -> Vec<&Mark> {
    let of = |mark: &&Mark| mark.kind == kind;
    trial.marks.iter().filter(of).collect()
}

#[test]
fn a_fault_of_one_variant_is_marked_and_is_felt_by_that_one_alone() {
    let (_guard, dir) = temporary();
    let weather = "[[weather]]\nat_s = 0.0\nof = ['stormy']\nfault = { seam = 'request', \
                   service = 'links', effect = 'latency', ms = 400, ttl_ms = 60000 }\n\
                   [[weather]]\nat_s = 0.1\nknobs = { 'links.cache' = 'none' }\n\
                   [[check]]\nof = ['stormy']\nclaim = 'p50_ms > calm.p50_ms'\n";
    let text = small(&format!("{TWO}{weather}")).replace("blocks = 1", "blocks = 2");
    let run = run(&dir, &text, &[]);
    let p50 = |name: &str| reports::measured(&run, &format!("{name}.p50_ms")).expect("is there");
    let apart = p50("stormy") - p50("calm");
    assert!(apart > 100.0, "{apart} ms apart");
    for trial in trials(&run, "calm") {
        assert!(
            marks(trial, MarkKind::Fault).is_empty(),
            "{:?}",
            trial.marks
        );
        let knobs = marks(trial, MarkKind::Knob);
        assert!(
            knobs.len() == 1 && knobs[0].at_s >= 0.1,
            "{:?}",
            trial.marks
        );
        assert_eq!(knobs[0].text, "links.cache = none");
    }
    for trial in trials(&run, "stormy") {
        let [fault] = marks(trial, MarkKind::Fault)[..] else {
            panic!("one fault: {:?}", trial.marks);
        };
        assert!(
            fault.text.starts_with("links: ") && fault.text.contains("400"),
            "{fault:?}"
        );
        let lasts = fault.until_s.expect("it lasts") - fault.at_s;
        assert!((lasts - 60.0).abs() < 1e-6, "{fault:?}");
    }
}

#[test]
fn a_policy_of_a_variant_is_in_force_for_that_variant_alone() {
    let (_guard, dir) = temporary();
    // A call that may take 1 ms and takes 30 fails.
    let system = "[system]\nconfig = { 'lab.stage' = true, 'stage.back.work_ms' = 1 }\n";
    let variants = "[[variant]]\nname = 'calm'\n[[variant]]\nname = 'stormy'\n\
                    [variant.policies.'stage_front -> stage_back']\ntimeout_ms = 1\n\
                    retry = { attempts = 1 }\n[[variant]]\nname = 'after'\n";
    let slow = "[[weather]]\nat_s = 0\nfault = { seam = 'call', service = 'stage_back', \
                effect = 'latency', ms = 30, ttl_ms = 60000 }\n";
    let text = small(&format!("{system}{variants}{slow}"))
        .replace("/{code}", "/stage/work")
        .replace("blocks = 1", "blocks = 2");
    let run = run(&dir, &text, &[]);
    for trial in &run.trials {
        let failed = trial.values["error_percent"];
        match run.variants[trial.variant].name.as_str() {
            "stormy" => assert!(failed > 50.0, "{failed} %"),
            other => assert!(failed < 50.0, "{other}: {failed} %"),
        }
    }
    assert!(
        run.variants[1]
            .settings
            .contains_key("stage_front -> stage_back")
    );
}

/// Clicks that are durable outlive the process; of lossy ones those since the last commit do not,
/// which shows that what is lost is seen.
#[test]
fn a_killed_process_loses_no_click_that_was_durable() {
    let (_guard, dir) = temporary();
    let system = "[system]\ntopology = 'apart'\n";
    let variants = "[[variant]]\nname = 'durable'\nknobs = { 'links.clicks' = 'durable' }\n\
                    [[variant]]\nname = 'lossy'\nknobs = { 'links.clicks' = 'lossy' }\n";
    let weather = "[[weather]]\nat_s = 0.4\nfault = { seam = 'process', service = 'links', \
                   effect = 'kill', ttl_ms = 1000 }\n[[probe]]\nkind = 'clicks'\n\
                   [[check]]\nof = ['durable']\nclaim = 'clicks_lost == 0'\n\
                   [[check]]\nof = ['lossy']\nclaim = 'clicks_lost == 0'\nmust = 'break'\n\
                   [[check]]\nclaim = 'clicks_unasked == 0'\n";
    let text = small(&format!("{system}{variants}{weather}"))
        .replace("seconds = 0.4", "seconds = 0.5")
        .replace("blocks = 1", "blocks = 2")
        .replace("rate = 50", "rate = 200");
    let run = run(&dir, &text, &[]);
    assert!(run.checks.iter().all(reports::CheckOutcome::passed));
    for trial in &run.trials {
        assert!(trial.values["good_per_s"] > 0.0, "{:?}", trial.values);
        let [kill] = marks(trial, MarkKind::Fault)[..] else {
            panic!("one fault: {:?}", trial.marks);
        };
        let what = (kill.text.as_str(), kill.until_s);
        assert_eq!(what, ("links: kill", None), "it is over at once");
        assert!(kill.at_s >= 0.4, "{kill:?}");
    }
}

/// Without a cache an edit that was answered is what everybody reads.
#[test]
fn what_is_edited_is_read_and_the_probe_says_how_soon() {
    let (_guard, dir) = temporary();
    let variant = "[[variant]]\nname = 'none'\nknobs = { 'links.cache' = 'none' }\n";
    let probe = "[[probe]]\nkind = 'staleness'\n\
                 [[check]]\nclaim = 'backward_reads == 0'\n\
                 [[check]]\nclaim = 'stale_reads_percent == 0'\n";
    let text = small(&format!("{variant}{probe}")).replace("seconds = 0.4", "seconds = 0.8");
    let run = run(&dir, &text, &[]);
    let values = &run.trials[0].values;
    assert_eq!(values["stale_max_ms"], 0.0);
    assert!(run.checks.iter().all(reports::CheckOutcome::passed));
}
