//! The A/A test: how often the statistics see a difference where there is none.

use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Verdict};
use crate::model::{Metric, Run};
use crate::number::percent;
use crate::stats::{FALSE_ALARMS_MAX, PAIRS_MIN, Row, analyse, dist};

/// How a long list of equal trials is cut into experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// How many variants an experiment pretends to have; at least two.
    pub variants: usize,
    /// How many blocks it has; at least three.
    pub blocks: usize,
}

/// What the A/A test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// How the trials were cut.
    pub cut: Cut,
    /// How many trials were used.
    pub trials: usize,
    /// Experiments with any claim of a difference.
    pub experiments: Rate,
    /// Claims among single comparisons, after the correction: what a report would say.
    pub comparisons: Rate,
    /// Comparisons with p of at most 0.05 before the correction: one test looked at alone.
    pub uncorrected: Rate,
    /// Comparisons that were too noisy to tell.
    pub too_noisy: u64,
    /// Claims by metric, after the correction.
    pub metrics: Vec<MetricRate>,
    /// Whether false alarms stayed within 5 % of experiments.
    pub outcome: Outcome,
}

/// A count among others, with its exact 95 % interval (Clopper and Pearson).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share; zero of none.
    pub rate: f64,
    /// Where the interval begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

/// False alarms of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRate {
    /// Which, by name.
    pub metric: String,
    /// How often.
    pub rate: Rate,
}

/// Whether the promise of at most 5 % was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No more than 5 % were seen.
    Held,
    /// More were seen, but so few experiments show that by chance.
    Unclear,
    /// Certainly more.
    Broken,
    /// There were too few trials for even one experiment.
    TooFew,
}

impl Rate {
    fn new(hits: u64, of: u64) -> Self {
        let (low, high) = if of == 0 {
            (0.0, 1.0)
        } else {
            dist::share_interval(hits, of)
        };
        Self {
            hits,
            of,
            rate: if of == 0 {
                0.0
            } else {
                hits as f64 / of as f64
            },
            low,
            high,
        }
    }

    fn words(&self) -> String {
        let Self { hits, of, .. } = self;
        let (rate, low, high) = (percent(self.rate), percent(self.low), percent(self.high));
        format!("{hits} of {of}: {rate}, 95 % interval {low} to {high}")
    }
}

/// Cuts the trials of a run whose variants are all equal into experiments that do not overlap, in
/// the order in which they ran and as ABBA, and counts what is claimed.
///
/// Which variant a trial was recorded under does not matter. Trials that are left over are not used.
#[must_use]
pub fn self_test(run: &Run, cut: Cut) -> SelfTest {
    let cut = Cut {
        variants: cut.variants.max(2),
        blocks: cut.blocks.max(PAIRS_MIN),
    };
    let size = cut.variants * cut.blocks;
    let mut found: Vec<Vec<Estimate>> = Vec::new();
    let mut alarmed = 0;
    for chunk in run.trials.chunks_exact(size) {
        let rows: Vec<Row<'_>> = chunk
            .iter()
            .enumerate()
            .map(|(index, trial)| {
                let (block, place) = (index / cut.variants, index % cut.variants);
                let backwards = block % 2 == 1;
                Row {
                    variant: if backwards {
                        cut.variants - 1 - place
                    } else {
                        place
                    },
                    block: u32::try_from(block).unwrap_or(u32::MAX),
                    values: &trial.values,
                }
            })
            .collect();
        let table = analyse(&run.metrics, cut.variants, &rows);
        let mut judged = table.into_iter().flatten();
        let judged: Vec<Estimate> = judged
            .by_ref()
            .filter(|each| each.difference.is_some())
            .collect();
        alarmed += u64::from(judged.iter().any(|each| each.verdict.is_claim()));
        found.push(judged);
    }
    counted(cut, &run.metrics, &found, alarmed)
}

fn counted(cut: Cut, metrics: &[Metric], found: &[Vec<Estimate>], alarmed: u64) -> SelfTest {
    let all: Vec<&Estimate> = found.iter().flatten().collect();
    let count =
        |hit: &dyn Fn(&Estimate) -> bool| all.iter().filter(|each| hit(each)).count() as u64;
    let of = all.len() as u64;
    let alone = |each: &Estimate| {
        let difference = each.difference.as_ref();
        difference.is_some_and(|difference| difference.p <= FALSE_ALARMS_MAX)
    };
    let experiments = Rate::new(alarmed, found.len() as u64);
    SelfTest {
        cut,
        trials: found.len() * cut.variants * cut.blocks,
        experiments,
        comparisons: Rate::new(count(&|each| each.verdict.is_claim()), of),
        uncorrected: Rate::new(count(&alone), of),
        too_noisy: count(&|each| each.verdict == Verdict::TooNoisy),
        metrics: metrics
            .iter()
            .map(|metric| MetricRate {
                metric: metric.name.clone(),
                rate: Rate::new(
                    count(&|each| each.metric == metric.name && each.verdict.is_claim()),
                    count(&|each| each.metric == metric.name),
                ),
            })
            .collect(),
        outcome: match experiments {
            Rate { of: 0, .. } => Outcome::TooFew,
            Rate { rate, .. } if rate <= FALSE_ALARMS_MAX => Outcome::Held,
            Rate { low, .. } if low <= FALSE_ALARMS_MAX => Outcome::Unclear,
            _ => Outcome::Broken,
        },
    }
}

impl SelfTest {
    /// As one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings, numbers and lists always become JSON")
    }

    /// As lines of text; the last one is the outcome.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![
            format!(
                "{} equal trials, cut into {} experiments of {} variants in {} blocks",
                self.trials, self.experiments.of, self.cut.variants, self.cut.blocks
            ),
            String::new(),
            format!("false alarms per experiment   {}", self.experiments.words()),
            format!("false alarms per comparison   {}", self.comparisons.words()),
            format!("before Holm's correction      {}", self.uncorrected.words()),
            format!(
                "too noisy to tell             {} of {}",
                self.too_noisy, self.comparisons.of
            ),
        ];
        for MetricRate { metric, rate } in self.metrics.iter().filter(|each| each.rate.hits > 0) {
            lines.push(format!("  {metric:<28}{}", rate.words()));
        }
        lines.push(String::new());
        lines.push(
            match self.outcome {
                Outcome::Held => "held: at most 5 % of experiments raise a false alarm",
                Outcome::Unclear => {
                    "unclear: more than 5 % were seen, but chance may do that; run more trials"
                }
                Outcome::Broken => {
                    "broken: more than 5 % of experiments raise a false alarm; trust no difference"
                }
                Outcome::TooFew => "too few trials for an experiment; run more",
            }
            .to_owned(),
        );
        lines.join("\n") + "\n"
    }
}
