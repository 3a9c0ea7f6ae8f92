//! Two runs side by side. Their trials were not interleaved, so all that changed between them
//! (the machine's mood included) is in the difference.

mod text;
mod warnings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Verdict};
use crate::model::{Metric, Run};
use crate::stats::sample::{Mean, Tested};
use crate::stats::scale::Scale;
use crate::stats::{Made, PAIRS_MIN, correct, settle};

/// Two runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The name of the run that is compared with.
    pub before: String,
    /// The name of the run that is compared.
    pub after: String,
    /// What both measured, as the first describes it.
    pub metrics: Vec<Metric>,
    /// What both ran, by name.
    pub variants: Vec<Both>,
    /// Variants that only the first has.
    pub only_before: Vec<String>,
    /// Variants that only the second has.
    pub only_after: Vec<String>,
    /// What differs between the runs besides what they measured; each is a sentence.
    pub warnings: Vec<String>,
}

/// A variant in two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Both {
    /// Its name.
    pub name: String,
    /// Each metric before and after, in the order of [`Comparison::metrics`]; the difference and
    /// the verdict are with the second.
    pub metrics: Vec<(Estimate, Estimate)>,
}

/// Compares two runs by the names of variants and metrics, with Welch's test and Holm's correction.
///
/// Values are compared as the first run says. Nothing is claimed from fewer than three trials.
#[must_use]
pub fn compare(before: &Run, after: &Run) -> Comparison {
    let shared = |metric: &&Metric| after.metrics.iter().any(|other| other.name == metric.name);
    let metrics: Vec<Metric> = before.metrics.iter().filter(shared).cloned().collect();
    let names = |run: &Run| -> Vec<String> {
        let variants = run.variants.iter();
        variants.map(|variant| variant.name.clone()).collect()
    };
    let (befores, afters) = (names(before), names(after));
    let mut found: BTreeMap<&str, Vec<Estimate>> = BTreeMap::new();
    let mut first: BTreeMap<&str, Vec<Estimate>> = BTreeMap::new();
    for metric in &metrics {
        let all = values(before, None, metric).into_iter();
        let scale = Scale::of(metric.compared, all.chain(values(after, None, metric)));
        for name in befores.iter().filter(|name| afters.contains(name)) {
            let (own, other) = pair(&scale, metric, [before, after], name);
            first.entry(name).or_default().push(own);
            found.entry(name).or_default().push(other);
        }
    }
    let mut table: Vec<Vec<Estimate>> = found.into_values().collect();
    correct(&mut table);
    let mut judged: BTreeMap<&str, Vec<Estimate>> = first.keys().copied().zip(table).collect();
    let variants = befores.iter().filter_map(|name| {
        let own = first.remove(name.as_str())?;
        let other = judged.remove(name.as_str())?;
        Some(Both {
            name: name.clone(),
            metrics: own.into_iter().zip(other).collect(),
        })
    });
    let variants = variants.collect();
    let without = |names: &[String], others: &[String]| -> Vec<String> {
        let only = names.iter().filter(|name| !others.contains(name));
        only.cloned().collect()
    };
    Comparison {
        before: before.id.clone(),
        after: after.id.clone(),
        metrics,
        variants,
        only_before: without(&befores, &afters),
        only_after: without(&afters, &befores),
        warnings: warnings::of(before, after),
    }
}

fn pair(scale: &Scale, metric: &Metric, runs: [&Run; 2], name: &str) -> (Estimate, Estimate) {
    let [own, other] = runs.map(|run| {
        let values = values(run, Some(name), metric);
        let values: Vec<f64> = values.into_iter().map(|value| scale.forth(value)).collect();
        let position = run.variants.iter().position(|each| each.name == name);
        let trials = run.trials.iter();
        let all = trials.filter(|trial| Some(trial.variant) == position);
        let missing = all.count().saturating_sub(values.len());
        (Mean::of(&values), missing)
    });
    let before = scale.estimate(metric, own.0, own.1);
    let mut after = scale.estimate(metric, other.0, other.1);
    let fewest = before.trials.min(after.trials);
    let tested = own.0.zip(other.0).filter(|_| fewest >= PAIRS_MIN);
    let tested: Option<Tested> = tested.and_then(|(own, other)| {
        let alike = own.value == other.value && own.deviation + other.deviation == 0.0;
        if alike {
            return other.against(&own);
        }
        scale.rounded(other).against(&scale.rounded(own))
    });
    let made = Made {
        tested,
        pairs: fewest,
    };
    settle(&mut after, scale, made, own.0);
    if after.trials == 0 {
        after.verdict = Verdict::NotMeasured;
    }
    (before, after)
}

/// What a run measured, of one variant or of all; without what is no number.
fn values(run: &Run, variant: Option<&str>, metric: &Metric) -> Vec<f64> {
    let wanted = |index: usize| match variant {
        Some(name) => run
            .variants
            .get(index)
            .is_some_and(|each| each.name == name),
        None => true,
    };
    let own = run.trials.iter().filter(|trial| wanted(trial.variant));
    let values = own.filter_map(|trial| trial.values.get(&metric.name).copied());
    values.filter(|value| value.is_finite()).collect()
}
