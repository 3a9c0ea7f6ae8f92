//! The reader's guess, set beside what was measured.

use serde::{Deserialize, Serialize};

use crate::model::Run;
use crate::number::number;
use crate::stats::sample::Mean;
use crate::stats::scale::Scale;

/// A guess within this factor counts as good.
const CLOSE: f64 = 1.25;

/// A guess and how far off it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guessed {
    /// As it was typed.
    pub text: String,
    /// As a number.
    pub value: Option<f64>,
    /// What was measured.
    pub measured: Option<f64>,
    /// The guess as a multiple of what was measured.
    pub factor: Option<f64>,
    /// How it compares, in a sentence.
    pub words: String,
}

pub(super) fn of(run: &Run) -> Option<Guessed> {
    let guess = run.guess.as_ref()?;
    let asked = run.experiment.prediction.as_ref();
    let asked = asked.and_then(|prediction| prediction.measures.as_deref());
    let found = guess
        .measured
        .or_else(|| asked.and_then(|what| measured(run, what)));
    let factor = match (guess.value, found) {
        (Some(value), Some(found)) if value > 0.0 && found > 0.0 => Some(value / found),
        _ => None,
    };
    let words = match (guess.value, found, factor) {
        (Some(value), Some(found), Some(factor)) => {
            let how = match factor {
                factor if factor > CLOSE => format!("{} times too much", number(factor)),
                factor if factor < 1.0 / CLOSE => {
                    format!("{} times too little", number(1.0 / factor))
                }
                _ => "close".to_owned(),
            };
            format!(
                "You guessed {}, measured was {}: {how}.",
                number(value),
                number(found)
            )
        }
        (Some(value), Some(found), None) => {
            format!(
                "You guessed {}, measured was {}.",
                number(value),
                number(found)
            )
        }
        (None, Some(found), _) => {
            format!(
                "You guessed {}, measured was {}.",
                guess.text,
                number(found)
            )
        }
        (_, None, _) => format!("You guessed: {}.", guess.text),
    };
    Some(Guessed {
        text: guess.text.clone(),
        value: guess.value,
        measured: found,
        factor,
        words,
    })
}

/// What a run measured for `variant.metric`, or for `variant/variant.metric`, the ratio of the
/// first to the second. Nothing when a name is unknown or nothing was measured.
#[must_use]
pub fn measured(run: &Run, what: &str) -> Option<f64> {
    let (variants, metric) = what.rsplit_once('.')?;
    match variants.split_once('/') {
        Some((above, below)) => {
            let below = mean(run, below, metric)?;
            (below != 0.0).then_some(mean(run, above, metric)? / below)
        }
        None => mean(run, variants, metric),
    }
}

fn mean(run: &Run, variant: &str, metric: &str) -> Option<f64> {
    let metric = run.metrics.iter().find(|each| each.name == metric)?;
    let variant = run.variants.iter().position(|each| each.name == variant)?;
    let value = |trial: &crate::Trial| {
        let value = trial.values.get(&metric.name).copied();
        value.filter(|value| value.is_finite())
    };
    // The scale is that of the whole run, as in its table.
    let scale = Scale::of(metric.compared, run.trials.iter().filter_map(value));
    let own = run.trials.iter().filter(|trial| trial.variant == variant);
    let values: Vec<f64> = own
        .filter_map(value)
        .map(|value| scale.forth(value))
        .collect();
    Mean::of(&values).map(|mean| scale.back(mean.value))
}
