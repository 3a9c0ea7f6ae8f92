//! Runs that are hard to speak of: empty, short, with holes, with zeros, too noisy.

use std::collections::BTreeMap;

use kernel::SeededRandom;
use reports::{Compared, Run, Summary, Verdict, summary};

use crate::simulate::{World, bare, simulated, trial};

/// A run of one metric; the values of each variant, block by block.
fn of(compared: Compared, values: &[&[Option<f64>]]) -> Run {
    let mut run = bare(1, values.len());
    run.metrics[0].compared = compared;
    for block in 0..values[0].len() {
        for (variant, values) in values.iter().enumerate() {
            let value = values[block].map(|value| ("m0".to_owned(), value));
            run.trials
                .push(trial(variant, block, value.into_iter().collect()));
        }
    }
    run
}

fn verdict(summary: &Summary) -> Verdict {
    summary.variants[1].estimates[0].verdict
}

#[test]
fn a_run_without_trials_has_a_summary() {
    assert!(summary(&bare(2, 0)).variants.is_empty());
    let summary = summary(&bare(2, 2));
    assert_eq!(verdict(&summary), Verdict::NotMeasured);
    assert_eq!(summary.comparisons, 0);
    assert!(
        summary.noise.text.contains("too few trials"),
        "{}",
        summary.noise.text
    );
}

#[test]
fn two_pairs_are_too_few_and_three_are_not() {
    let random = SeededRandom::new(1);
    let world = |blocks| World {
        truth: &[1.0, 9.0],
        noise: 0.01,
        drift: 0.0,
        metrics: 1,
        blocks,
    };
    let run = simulated(world(2), &random);
    assert_eq!(verdict(&summary(&run)), Verdict::TooFew);
    let run = simulated(world(3), &random);
    assert_eq!(verdict(&summary(&run)), Verdict::Worse);
}

#[test]
fn a_hole_takes_its_pair_with_it_and_is_counted() {
    let first = [Some(1.0), Some(1.1), None, Some(0.9), Some(f64::NAN)];
    let other = [Some(2.1), None, Some(2.0), Some(1.9), Some(2.0)];
    let summary = summary(&of(Compared::Ratio, &[&first, &other]));
    let (first, other) = (
        &summary.variants[0].estimates[0],
        &summary.variants[1].estimates[0],
    );
    assert_eq!((first.trials, first.missing), (3, 2));
    assert_eq!((other.trials, other.missing), (4, 1));
    assert_eq!(other.verdict, Verdict::TooFew, "two blocks have both");
}

#[test]
fn a_zero_among_ratios_turns_them_into_differences() {
    let first = [10.0, 11.0, 10.5, 10.2].map(Some);
    let other = [0.0, 0.1, 0.0, 0.2].map(Some);
    let summary = summary(&of(Compared::Ratio, &[&first, &other]));
    let difference = summary.variants[1].estimates[0]
        .difference
        .as_ref()
        .unwrap();
    assert!(!difference.as_ratio);
    assert!((difference.value + 10.35).abs() < 1e-9);
    assert_eq!(verdict(&summary), Verdict::Better);
}

#[test]
fn equal_counts_are_certain_only_as_far_as_they_are_rounded() {
    let run = |other: f64| of(Compared::Difference, &[&[Some(0.0); 4], &[Some(other); 4]]);
    assert_eq!(verdict(&summary(&run(17.0))), Verdict::Worse);
    let same = summary(&run(0.0));
    assert_eq!(verdict(&same), Verdict::NoDifferenceSeen);
    let small = of(Compared::Difference, &[&[Some(0.0); 3], &[Some(1.0); 3]]);
    assert!(
        !verdict(&summary(&small)).is_claim(),
        "chance makes three equal counts"
    );
}

#[test]
fn nothing_is_claimed_of_a_noisy_machine() {
    let world = World {
        truth: &[1.0, 1.0],
        noise: 0.8,
        drift: 0.0,
        metrics: 3,
        blocks: 4,
    };
    let summary = summary(&simulated(world, &SeededRandom::new(1)));
    assert_eq!(verdict(&summary), Verdict::TooNoisy);
    assert!(
        summary.noise.text.contains("too noisy to tell anything"),
        "{}",
        summary.noise.text
    );
}

#[test]
fn a_count_is_never_below_zero() {
    let wild = [0.0, 0.0, 9.0, 0.0].map(Some);
    let summary = summary(&of(Compared::Difference, &[&wild, &wild]));
    assert_eq!(summary.variants[0].estimates[0].low, Some(0.0));
}

#[test]
fn a_trial_of_an_unknown_variant_is_not_counted() {
    let mut run = of(Compared::Ratio, &[&[Some(1.0); 3], &[Some(1.0); 3]]);
    run.trials
        .push(trial(7, 0, BTreeMap::from([("m0".to_owned(), 5.0)])));
    assert_eq!(summary(&run).variants[0].estimates[0].trials, 3);
}
