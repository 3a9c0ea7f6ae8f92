//! What is promised of the statistics, by simulation from fixed seeds: the same in every run.

use kernel::SeededRandom;
use reports::{Cut, Outcome, Run, Verdict, self_test, summary};

use crate::simulate::{World, simulated};

const AA: World = World {
    truth: &[10.0, 10.0, 10.0],
    noise: 0.05,
    drift: 0.0,
    metrics: 4,
    blocks: 6,
};

fn claims(run: &Run) -> usize {
    let summary = summary(run);
    let all = summary.variants.iter().flat_map(|found| &found.estimates);
    all.filter(|each| each.verdict.is_claim()).count()
}

fn share(rounds: u32, mut hit: impl FnMut() -> bool) -> f64 {
    let hits = (0..rounds).filter(|_| hit()).count();
    hits as f64 / f64::from(rounds)
}

#[test]
fn intervals_hold_the_truth_in_about_95_of_100() {
    let random = SeededRandom::new(1);
    for blocks in [3, 5, 10] {
        let world = World {
            truth: &[10.0, 13.0],
            metrics: 1,
            noise: 0.2,
            blocks,
            ..AA
        };
        let (mut of_value, mut of_ratio) = (0, 0);
        for _ in 0..800 {
            let summary = summary(&simulated(world, &random));
            let estimate = &summary.variants[1].estimates[0];
            let holds = |low: f64, high: f64, truth: f64| u32::from(low <= truth && truth <= high);
            of_value += holds(estimate.low.unwrap(), estimate.high.unwrap(), 13.0);
            let difference = estimate.difference.as_ref().unwrap();
            of_ratio += holds(difference.low, difference.high, 1.3);
        }
        // 760 of 800 are expected, with a standard deviation of 6.
        for held in [of_value, of_ratio] {
            assert!(
                (735..=785).contains(&held),
                "{held} of 800 with {blocks} blocks"
            );
        }
    }
}

#[test]
fn equal_variants_raise_at_most_5_false_alarms_in_100_runs() {
    let random = SeededRandom::new(2);
    for (noise, drift) in [(0.02, 0.0), (0.3, 0.0), (0.05, 0.01), (0.01, 0.05)] {
        let world = World { noise, drift, ..AA };
        let alarms = share(600, || claims(&simulated(world, &random)) > 0);
        assert!(
            alarms <= 0.05,
            "{alarms} with noise {noise} and drift {drift}"
        );
    }
}

#[test]
fn a_drift_is_cancelled_by_the_order() {
    // Without noise, all that is left of a steady drift is what ABBA does not cancel: nothing.
    let world = World {
        noise: 0.0,
        drift: 0.02,
        metrics: 1,
        ..AA
    };
    let summary = summary(&simulated(world, &SeededRandom::new(3)));
    for found in &summary.variants[1..] {
        let difference = found.estimates[0].difference.as_ref().unwrap();
        assert!((difference.value - 1.0).abs() < 1e-9, "{difference:?}");
    }
}

#[test]
fn the_same_drift_without_that_order_would_be_a_false_alarm() {
    let world = World {
        noise: 0.002,
        drift: 0.02,
        metrics: 1,
        ..AA
    };
    let mut run = simulated(world, &SeededRandom::new(4));
    let mut in_turns = run.trials.clone();
    for (index, trial) in in_turns.iter_mut().enumerate() {
        trial.variant = index % 3;
    }
    run.trials = in_turns;
    assert!(
        claims(&run) > 0,
        "the check above would pass whatever the statistics do"
    );
}

#[test]
fn a_fifth_is_found_in_noise_of_a_twentieth() {
    let random = SeededRandom::new(5);
    let world = World {
        truth: &[10.0, 12.0, 10.0],
        ..AA
    };
    let found = share(200, || {
        let summary = summary(&simulated(world, &random));
        let planted = summary.variants[1].estimates.iter();
        planted
            .filter(|each| each.verdict == Verdict::Worse)
            .count()
            >= 3
    });
    assert!(found > 0.8, "{found}");
}

#[test]
fn an_uncorrected_test_would_raise_more() {
    let random = SeededRandom::new(6);
    let alarms = share(300, || {
        let summary = summary(&simulated(AA, &random));
        let all = summary.variants.iter().flat_map(|found| &found.estimates);
        let mut differences = all.filter_map(|each| each.difference.as_ref());
        differences.any(|difference| difference.p <= 0.05)
    });
    assert!(
        alarms > 0.15,
        "{alarms}: the correction has nothing to correct"
    );
}

#[test]
fn the_self_test_counts_false_alarms_and_holds() {
    let world = World {
        truth: &[10.0],
        blocks: 10_000,
        drift: 0.000_1,
        ..AA
    };
    let run = simulated(world, &SeededRandom::new(9));
    let test = self_test(
        &run,
        Cut {
            variants: 2,
            blocks: 5,
        },
    );
    assert_eq!((test.experiments.of, test.comparisons.of), (1_000, 4_000));
    assert_eq!(test.outcome, Outcome::Held, "{}", test.to_text());
    assert!(test.uncorrected.hits > test.comparisons.hits);
    assert!(test.to_text().contains("held: at most 5 %"));
    let again: reports::SelfTest = serde_json::from_str(&test.to_json()).unwrap();
    assert_eq!(again.comparisons.hits, test.comparisons.hits);
}

#[test]
fn the_self_test_catches_trials_that_are_not_alike() {
    let world = World {
        truth: &[10.0, 12.0],
        blocks: 1_000,
        ..AA
    };
    let run = simulated(world, &SeededRandom::new(8));
    let test = self_test(
        &run,
        Cut {
            variants: 2,
            blocks: 6,
        },
    );
    assert_eq!(test.outcome, Outcome::Broken, "{}", test.to_text());
}

#[test]
fn a_self_test_with_too_few_trials_says_so() {
    let world = World {
        truth: &[10.0],
        blocks: 4,
        ..AA
    };
    let test = self_test(
        &simulated(world, &SeededRandom::new(9)),
        Cut {
            variants: 2,
            blocks: 3,
        },
    );
    assert_eq!(test.outcome, Outcome::TooFew);
    assert!(test.to_text().contains("too few trials"));
}
