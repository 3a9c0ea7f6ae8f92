//! From trials to estimates and verdicts: the one road that a summary and the self-test share.

pub(crate) mod dist;
pub(crate) mod sample;
pub(crate) mod scale;

use std::collections::BTreeMap;

use crate::estimate::{Difference, Estimate, Verdict};
use crate::model::{Better, Metric};
use sample::{Mean, Tested, holm};
use scale::Scale;

/// Fewer pairs than this are not compared.
pub const PAIRS_MIN: usize = 3;

/// How often a run may claim a difference where there is none.
pub const FALSE_ALARMS_MAX: f64 = 0.05;

/// A ratio's interval that is wider than this factor tells nothing.
pub const WIDEST_RATIO: f64 = 1.5;

/// A difference's interval tells nothing when it reaches further to each side than this share of
/// the larger mean.
pub const WIDEST_SHARE: f64 = 0.2;

/// One trial, as far as the figures are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) variant: usize,
    pub(crate) block: u32,
    pub(crate) values: &'a BTreeMap<String, f64>,
}

/// Every variant's estimate of every metric, as `[variant][metric]`.
pub(crate) fn analyse(metrics: &[Metric], variants: usize, rows: &[Row<'_>]) -> Vec<Vec<Estimate>> {
    let mut table: Vec<Vec<Estimate>> = vec![Vec::with_capacity(metrics.len()); variants];
    let metrics = if variants == 0 { &[] } else { metrics };
    for metric in metrics {
        for (variant, estimate) in of_metric(metric, variants, rows).into_iter().enumerate() {
            table[variant].push(estimate);
        }
    }
    correct(&mut table);
    table
}

fn of_metric(metric: &Metric, variants: usize, rows: &[Row<'_>]) -> Vec<Estimate> {
    // What is no number could not be measured.
    let value = |row: &Row<'_>| {
        let value = row.values.get(&metric.name).copied();
        value.filter(|value| value.is_finite())
    };
    let scale = Scale::of(metric.compared, rows.iter().filter_map(value));
    // By variant and block; a variant that ran twice in a block counts with its mean there.
    let mut blocks: Vec<BTreeMap<u32, Vec<f64>>> = vec![BTreeMap::new(); variants];
    let mut missing = vec![0; variants];
    for row in rows.iter().filter(|row| row.variant < variants) {
        match value(row) {
            Some(value) => {
                let block = blocks[row.variant].entry(row.block).or_default();
                block.push(scale.forth(value));
            }
            None => missing[row.variant] += 1,
        }
    }
    let all = |variant: usize| -> Vec<f64> {
        let block: &BTreeMap<u32, Vec<f64>> = &blocks[variant];
        block.values().flatten().copied().collect()
    };
    let first = Mean::of(&all(0));
    (0..variants)
        .map(|variant| {
            let mean = Mean::of(&all(variant));
            let mut estimate = scale.estimate(metric, mean, missing[variant]);
            if variant > 0 {
                let pairs = pairs(&blocks[0], &blocks[variant]);
                judge(&mut estimate, &scale, &pairs, first);
            }
            estimate
        })
        .collect()
}

/// The differences to the first variant, one for each block that has both.
fn pairs(first: &BTreeMap<u32, Vec<f64>>, other: &BTreeMap<u32, Vec<f64>>) -> Vec<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    first
        .iter()
        .filter_map(|(block, values)| Some(mean(other.get(block)?) - mean(values)))
        .collect()
}

fn judge(estimate: &mut Estimate, scale: &Scale, pairs: &[f64], first: Option<Mean>) {
    let tested = Mean::of(pairs)
        .filter(|_| pairs.len() >= PAIRS_MIN)
        .map(|mean| scale.rounded_pairs(mean))
        .and_then(|mean| mean.against_zero());
    let made = Made {
        tested,
        pairs: pairs.len(),
    };
    settle(estimate, scale, made, first);
}

/// A difference, when there was enough to make one from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) tested: Option<Tested>,
    /// What it was made from, or would have been.
    pub(crate) pairs: usize,
}

/// Writes the difference into the estimate, with the verdict as far as one comparison can tell.
pub(crate) fn settle(estimate: &mut Estimate, scale: &Scale, made: Made, first: Option<Mean>) {
    let Some(first) = first.filter(|_| estimate.trials > 0) else {
        estimate.verdict = Verdict::NotMeasured;
        return;
    };
    let Some(tested) = made.tested else {
        estimate.verdict = Verdict::TooFew;
        return;
    };
    estimate.difference = Some(Difference {
        as_ratio: scale.is_ratio(),
        value: scale.back(tested.value),
        low: scale.back(tested.low),
        high: scale.back(tested.high),
        pairs: made.pairs,
        p: tested.p,
        adjusted_p: tested.p,
    });
    let noisy = scale.is_too_wide(&tested, first.value, estimate.value.unwrap_or_default());
    estimate.verdict = if noisy {
        Verdict::TooNoisy
    } else {
        Verdict::NoDifferenceSeen
    };
}

/// Corrects for how many comparisons there are, and claims what is left.
pub(crate) fn correct(table: &mut [Vec<Estimate>]) {
    let mut all: Vec<&mut Estimate> = table
        .iter_mut()
        .flatten()
        .filter(|estimate| estimate.difference.is_some())
        .collect();
    let values: Vec<f64> = all
        .iter()
        .filter_map(|estimate| estimate.difference.as_ref())
        .map(|difference| difference.p)
        .collect();
    for (estimate, adjusted) in all.iter_mut().zip(holm(&values)) {
        let Some(difference) = &mut estimate.difference else {
            continue;
        };
        difference.adjusted_p = adjusted;
        if adjusted > FALSE_ALARMS_MAX {
            continue;
        }
        let none = if difference.as_ratio { 1.0 } else { 0.0 };
        let more = difference.value > none;
        estimate.verdict = match (estimate.better, more) {
            (Better::Neither, _) => Verdict::Differs,
            (Better::Lower, false) | (Better::Higher, true) => Verdict::Better,
            (Better::Lower, true) | (Better::Higher, false) => Verdict::Worse,
        };
    }
}
