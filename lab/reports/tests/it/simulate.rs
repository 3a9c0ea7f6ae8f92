//! Runs made up from a seed: what is true of them is known, so what is claimed can be judged.

use std::collections::BTreeMap;

use kernel::{Random as _, SeededRandom};
use reports::{Better, Compared, Metric, Run, Trial, Variant};

use crate::sample::sample;

/// What a simulated run is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    /// The true value of each variant.
    pub(crate) truth: &'static [f64],
    /// The standard deviation of the logarithm between trials.
    pub(crate) noise: f64,
    /// By how much the logarithm rises from a trial to the next.
    pub(crate) drift: f64,
    /// How many metrics are measured, independently.
    pub(crate) metrics: usize,
    /// How many blocks are run, forwards and backwards in turns.
    pub(crate) blocks: usize,
}

/// A run of that world.
pub(crate) fn simulated(world: World, random: &SeededRandom) -> Run {
    let mut run = bare(world.metrics, world.truth.len());
    for block in 0..world.blocks {
        for place in 0..world.truth.len() {
            let backwards = block % 2 == 1;
            let variant = if backwards {
                world.truth.len() - 1 - place
            } else {
                place
            };
            let drift = world.drift * run.trials.len() as f64;
            let values = run.metrics.iter().map(|metric| {
                let log = world.truth[variant].ln() + drift + world.noise * normal(random);
                (metric.name.clone(), log.exp())
            });
            let trial = trial(variant, block, values.collect());
            run.trials.push(trial);
        }
    }
    run
}

/// A run without trials.
pub(crate) fn bare(metrics: usize, variants: usize) -> Run {
    let mut run = sample();
    run.trials.clear();
    run.checks.clear();
    run.guess = None;
    run.metrics = (0..metrics)
        .map(|index| Metric {
            name: format!("m{index}"),
            label: format!("m{index}"),
            unit: "ms".to_owned(),
            better: Better::Lower,
            compared: Compared::Ratio,
        })
        .collect();
    run.variants = (0..variants)
        .map(|index| Variant {
            name: format!("v{index}"),
            label: String::new(),
            settings: BTreeMap::new(),
            system: 0,
        })
        .collect();
    run
}

/// A trial with these values and nothing else.
pub(crate) fn trial(variant: usize, block: usize, values: BTreeMap<String, f64>) -> Trial {
    Trial {
        variant,
        block: u32::try_from(block).unwrap(),
        started_at: 0,
        elapsed_s: 1.0,
        values,
        latency: Vec::new(),
        seconds: Vec::new(),
        marks: Vec::new(),
        limited: None,
    }
}

/// A number of the standard normal distribution (Box and Muller, 1958).
pub(crate) fn normal(random: &SeededRandom) -> f64 {
    let uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform()).cos()
}
