//! What follows from a run: estimates, differences, checks, noise.

mod guess;
mod noise;

use serde::{Deserialize, Serialize};

use crate::derived::{self, Follows};
use crate::estimate::Estimate;
use crate::model::{CheckOutcome, Metric, Run};
use crate::stats::{Row, analyse};

pub use guess::{Guessed, measured};
pub use noise::{MetricNoise, Noise};

/// What follows from a run. It holds all that a list or a table of runs shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of this format; 1.
    pub format: u32,
    /// The name of the run.
    pub id: String,
    /// The name of the experiment.
    pub experiment: String,
    /// Its name for people.
    pub title: String,
    /// What it asks.
    pub question: String,
    /// When the run began: microseconds since the Unix epoch.
    pub started_at: i64,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
    /// Whether it was the short form.
    pub quick: bool,
    /// Whether it was ended before its time.
    pub ended_early: bool,
    /// What decided every random choice.
    pub seed: u64,
    /// The version of the program.
    pub version: String,
    /// Whether the run as a whole came out as expected: it ended, and every check did.
    pub passed: bool,
    /// What follows from the metrics of several variants.
    #[serde(default)]
    pub derived: Vec<Follows>,
    /// How the checks came out.
    pub checks: Checks,
    /// What was measured, in the order shown.
    pub metrics: Vec<Metric>,
    /// What was found, by variant.
    pub variants: Vec<Found>,
    /// How many comparisons were corrected for each other.
    pub comparisons: usize,
    /// How noisy it was.
    pub noise: Noise,
    /// What the reader guessed.
    pub guess: Option<Guessed>,
}

/// How the checks of a run came out, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// As expected.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Could not be told, which does not pass either.
    pub untold: usize,
}

/// What was found of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The variant's name.
    pub name: String,
    /// A few words about it.
    pub label: String,
    /// Its metrics, in the order shown.
    pub estimates: Vec<Estimate>,
}

/// Computes what follows from a run.
#[must_use]
pub fn summary(run: &Run) -> Summary {
    let rows: Vec<Row<'_>> = run
        .trials
        .iter()
        .map(|trial| Row {
            variant: trial.variant,
            block: trial.block,
            values: &trial.values,
        })
        .collect();
    let table = analyse(&run.metrics, run.variants.len(), &rows);
    let noise = noise::of(run, &table);
    let comparisons = table.iter().flatten();
    let comparisons = comparisons.filter(|each| each.difference.is_some()).count();
    let checks = counted(&run.checks);
    let variants = run.variants.iter().zip(table);
    Summary {
        format: 1,
        id: run.id.clone(),
        experiment: run.experiment.id.clone(),
        title: run.experiment.title.clone(),
        question: run.experiment.question.clone(),
        started_at: run.started_at,
        elapsed_s: run.elapsed_s,
        quick: run.quick,
        ended_early: run.ended_early,
        seed: run.seed,
        version: run.version.clone(),
        passed: !run.ended_early && checks.failed + checks.untold == 0,
        checks,
        metrics: run.metrics.clone(),
        derived: derived::of(run),
        guess: guess::of(run),
        comparisons,
        noise,
        variants: variants
            .map(|(variant, estimates)| Found {
                name: variant.name.clone(),
                label: variant.label.clone(),
                estimates,
            })
            .collect(),
    }
}

fn counted(outcomes: &[CheckOutcome]) -> Checks {
    let mut checks = Checks::default();
    for outcome in outcomes {
        match (outcome.seen, outcome.passed()) {
            (None, _) => checks.untold += 1,
            (Some(_), true) => checks.passed += 1,
            (Some(_), false) => checks.failed += 1,
        }
    }
    checks
}

impl Summary {
    /// The run's outcome in a few words: `passed, 5 checks`.
    #[must_use]
    pub fn outcome(&self) -> String {
        let all = self.checks.passed + self.checks.failed + self.checks.untold;
        let checks = if all == 1 { "check" } else { "checks" };
        let mut text = match (self.passed, all) {
            (true, 0) => "ended, nothing was checked".to_owned(),
            (true, _) => format!("passed, {all} {checks}"),
            (false, _) if self.checks.failed > 0 => {
                format!("failed, {} of {all} {checks}", self.checks.failed)
            }
            (false, _) if self.checks.untold > 0 => {
                format!("could not tell {} of {all} {checks}", self.checks.untold)
            }
            (false, _) => "not finished".to_owned(),
        };
        if self.ended_early {
            text.push_str(", ended early");
        }
        text
    }
}
