//! How noisy a run was, in figures and in a sentence.

use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Verdict};
use crate::model::Run;
use crate::number::percent;

/// From this variation between trials on a metric is called noisy.
pub(super) const NOISY: f64 = 0.2;

/// How noisy a run was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// By metric, in the order shown.
    pub metrics: Vec<MetricNoise>,
    /// How many comparisons were too noisy to tell.
    pub untold: usize,
    /// How many trials the run has.
    pub trials: usize,
    /// In how many of them the load generator was the bottleneck.
    pub limited: usize,
    /// All that in words.
    pub text: String,
}

/// How noisy one metric was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricNoise {
    /// Which metric, by name.
    pub metric: String,
    /// The coefficient of variation between the first variant's trials, as a share.
    pub variation: Option<f64>,
    /// How large a difference has to be to stand out of the noise: the half width of the widest
    /// 95 % interval, as a share of the value for ratios, in the metric's unit for differences.
    pub detectable: Option<f64>,
}

pub(super) fn of(run: &Run, table: &[Vec<Estimate>]) -> Noise {
    let metrics: Vec<MetricNoise> = run
        .metrics
        .iter()
        .enumerate()
        .map(|(index, metric)| MetricNoise {
            metric: metric.name.clone(),
            variation: table.first().and_then(|first| first[index].variation),
            detectable: table
                .iter()
                .filter_map(|estimates| half_width(&estimates[index]))
                .reduce(f64::max),
        })
        .collect();
    let all = table.iter().flatten();
    let untold = all.filter(|each| each.verdict == Verdict::TooNoisy).count();
    let limited = run.trials.iter().filter(|trial| trial.limited.is_some());
    let mut noise = Noise {
        metrics,
        untold,
        trials: run.trials.len(),
        limited: limited.count(),
        text: String::new(),
    };
    noise.text = words(run, &noise, table);
    noise
}

fn half_width(estimate: &Estimate) -> Option<f64> {
    let difference = estimate.difference.as_ref()?;
    Some(if difference.as_ratio {
        (difference.high / difference.low).sqrt() - 1.0
    } else {
        (difference.high - difference.low) / 2.0
    })
}

fn words(run: &Run, noise: &Noise, table: &[Vec<Estimate>]) -> String {
    let mut known: Vec<(&str, f64)> = run
        .metrics
        .iter()
        .zip(&noise.metrics)
        .filter_map(|(metric, noise)| Some((metric.label.as_str(), noise.variation?)))
        .collect();
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut text = match (known.first(), known.last()) {
        (Some((calm, least)), Some((wild, most))) if calm != wild => format!(
            "Between equal trials {calm} varied by {} and {wild} by {}, the least and the most.",
            percent(*least),
            percent(*most)
        ),
        (Some((only, by)), _) => format!("Between equal trials {only} varied by {}.", percent(*by)),
        _ => "There are too few trials to say how noisy the machine was.".to_owned(),
    };
    let noisy: Vec<&str> = known
        .iter()
        .filter(|(_, by)| *by > NOISY)
        .map(|(label, _)| *label)
        .collect();
    if !noisy.is_empty() {
        text.push_str(&format!(" That is much for {}.", noisy.join(", ")));
    }
    let judged = table.iter().flatten();
    let judged = judged.filter(|each| each.difference.is_some()).count();
    match noise.untold {
        0 => {}
        untold if untold == judged => {
            text.push_str(
                " The machine was too noisy to tell anything: run it longer, or quieter.",
            );
        }
        untold => text.push_str(&format!(
            " {untold} of {judged} comparisons were too noisy to tell."
        )),
    }
    if noise.limited > 0 {
        text.push_str(&format!(
            " In {} of {} trials the load generator was the bottleneck, so their times are partly its own.",
            noise.limited, noise.trials
        ));
    }
    text
}
