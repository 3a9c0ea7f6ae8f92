//! Trials that are drawn and not measured: what is true of them is known, so that what the statistics
//! claim of them can be judged, the same in every run.

use kernel::{Random as _, SeededRandom, Timestamp};
use reports::{Cut, Run, SelfTest, Trial, self_test};

use crate::spec::{Form, Spec};
use crate::{machine, metrics};

/// How large every value is, but for noise. Only shares of it matter.
const VALUE: f64 = 10.0;
/// The standard deviation of the logarithm between trials, from metric to metric.
const NOISE: [f64; 4] = [0.02, 0.05, 0.1, 0.3];
/// By how much the logarithm rises from a trial to the next, as when a machine grows warm.
const DRIFT: f64 = 0.002;
/// How many times as much the second variant has when there is a difference: one that must be found.
const FACTOR: f64 = 1.5;

/// What the statistics claim of drawn trials.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Simulated {
    /// Of equal variants: every claim is a false alarm.
    pub equal: SelfTest,
    /// Of variants that differ in every metric: an experiment without a claim is blind.
    pub different: SelfTest,
}

impl Simulated {
    /// Draws so many experiments as `cut` says of the metrics of `spec`, from `seed`.
    #[must_use]
    pub fn of(spec: &Spec, cut: Cut, experiments: u32, seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let drawn = |factor| self_test(&drawn(spec, (cut, experiments), factor, &random), cut);
        Self {
            equal: drawn(1.0),
            different: drawn(FACTOR),
        }
    }
}

/// A run whose blocks go forwards and backwards in turns; in each the last variant has `factor` times
/// as much as the others.
fn drawn(spec: &Spec, (cut, experiments): (Cut, u32), factor: f64, random: &SeededRandom) -> Run {
    let mut run = machine::run(spec, Timestamp::from_secs(0), Form::Whole, 0);
    let names: Vec<String> = metrics::of(spec)
        .into_iter()
        .map(|k| k.metric.name)
        .collect();
    for _ in 0..experiments {
        for place in 0..cut.blocks * cut.variants {
            let (block, within) = (place / cut.variants, place % cut.variants);
            let variant = match block % 2 {
                0 => within,
                _ => cut.variants - 1 - within,
            };
            let last = variant + 1 == cut.variants;
            let own = VALUE.ln() + DRIFT * place as f64 + if last { factor.ln() } else { 0.0 };
            let values = names.iter().zip(NOISE.iter().cycle());
            let values = values.map(|(name, noise)| {
                let log = own + noise * normal(random);
                (name.clone(), log.exp())
            });
            run.trials.push(Trial {
                variant,
                block: u32::try_from(block).unwrap_or(u32::MAX),
                started_at: 0,
                elapsed_s: 1.0,
                values: values.collect(),
                latency: Vec::new(),
                seconds: Vec::new(),
                marks: Vec::new(),
                limited: None,
            });
        }
    }
    run
}

/// A number of the standard normal distribution (Box and Muller, 1958).
fn normal(random: &SeededRandom) -> f64 {
    let uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform()).cos()
}

#[cfg(test)]
mod tests {
    use reports::Outcome;

    use super::*;

    fn simulated(seed: u64) -> Simulated {
        let text = "id = 'x'\ntitle = 't'\nquestion = 'q'\nphase = 1\nwhy = 'w'\nlesson = 'l'\n\
                    [[variant]]\nname = 'a'\n[[variant]]\nname = 'b'\n\
                    [[load.request]]\nname = 'list'\npath = '/x'\n";
        let spec = Spec::read("x.toml", text).unwrap_or_else(|mistake| panic!("{mistake}"));
        let cut = Cut {
            variants: 2,
            blocks: 6,
        };
        Simulated::of(&spec, cut, 100, seed)
    }

    #[test]
    fn of_equal_variants_hardly_anything_is_claimed_and_a_difference_is_always_found() {
        let Simulated { equal, different } = simulated(1);
        assert_eq!(equal.experiments.of, 100);
        assert_eq!(equal.outcome, Outcome::Held, "{}", equal.to_text());
        assert_eq!(different.experiments.hits, 100, "{}", different.to_text());
        // Taken for equal, they would be false alarms: the test can fail.
        assert_eq!(different.outcome, Outcome::Broken);
    }

    #[test]
    fn a_seed_decides_every_claim() {
        let text = |seed| serde_json::to_string(&simulated(seed)).expect("JSON");
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }
}
