//! Two runs side by side.

use kernel::SeededRandom;
use reports::{Comparison, Verdict, compare};

use crate::sample::sample;
use crate::simulate::{World, simulated};

const WORLD: World = World {
    truth: &[10.0, 12.0],
    noise: 0.05,
    drift: 0.0,
    metrics: 3,
    blocks: 8,
};

fn claims(comparison: &Comparison) -> usize {
    let all = comparison.variants.iter().flat_map(|both| &both.metrics);
    all.filter(|(_, after)| after.verdict.is_claim()).count()
}

#[test]
fn two_runs_of_the_same_world_seldom_differ() {
    let random = SeededRandom::new(1);
    let alarms = (0..300)
        .filter(|_| {
            claims(&compare(
                &simulated(WORLD, &random),
                &simulated(WORLD, &random),
            )) > 0
        })
        .count();
    // 15 are expected at most, with a standard deviation of 4; uncorrected it would be about 80.
    assert!(alarms <= 25, "{alarms} of 300");
}

#[test]
fn a_run_that_became_slower_is_told() {
    let random = SeededRandom::new(2);
    let slower = World {
        truth: &[13.0, 12.0],
        ..WORLD
    };
    let comparison = compare(&simulated(WORLD, &random), &simulated(slower, &random));
    for (_, after) in &comparison.variants[0].metrics {
        assert_eq!(after.verdict, Verdict::Worse);
        let difference = after.difference.as_ref().unwrap();
        assert!((difference.value - 1.3).abs() < 0.15, "{difference:?}");
    }
    assert!(comparison.to_text().contains("worse"));
    let json: serde_json::Value = serde_json::from_str(&comparison.to_json()).unwrap();
    assert_eq!(json["variants"][0]["metrics"][0][1]["verdict"], "worse");
}

#[test]
fn a_run_is_no_different_from_itself() {
    let comparison = compare(&sample(), &sample());
    assert_eq!(claims(&comparison), 0);
    assert!(comparison.warnings.is_empty(), "{:?}", comparison.warnings);
    for line in comparison.to_text().lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn whatever_else_differs_is_said() {
    let (before, mut after) = (sample(), sample());
    after.machine.cores = 64;
    after.version = "0.2.0".to_owned();
    after.quick = true;
    after.experiment.text.push_str("# more\n");
    after.metrics[0].unit = "1/min".to_owned();
    after.ended_early = true;
    let text = compare(&before, &after).to_text();
    for part in [
        "64 cores",
        "0.2.0",
        "quick form",
        "file was changed",
        "another way",
        "ended early",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[test]
fn runs_with_nothing_in_common_say_so() {
    let mut other = sample();
    for variant in &mut other.variants {
        variant.name.push('2');
    }
    other.experiment.id = "other".to_owned();
    let comparison = compare(&sample(), &other);
    assert_eq!(comparison.only_after.len(), 3);
    let text = comparison.to_text();
    assert!(
        text.contains("Nothing to compare") && text.contains("The experiments differ"),
        "{text}"
    );
}

#[test]
fn two_trials_are_too_few_to_compare() {
    let random = SeededRandom::new(3);
    let short = World {
        blocks: 2,
        truth: &[1.0],
        ..WORLD
    };
    let long = World {
        truth: &[9.0],
        ..WORLD
    };
    let comparison = compare(&simulated(short, &random), &simulated(long, &random));
    assert_eq!(comparison.variants[0].metrics[0].1.verdict, Verdict::TooFew);
}
