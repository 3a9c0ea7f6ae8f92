//! Figures that follow from the metrics of several variants, with their intervals.

use serde::{Deserialize, Serialize};

use crate::model::Run;
use crate::number::number;
use crate::stats::sample::Mean;

/// A figure that follows from others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Follows {
    /// What it is.
    pub label: String,
    /// Its unit.
    pub unit: String,
    /// How it follows.
    pub formula: String,
    /// Its mean over the blocks; nothing when it could be computed in none.
    pub value: Option<f64>,
    /// Where its 95 % interval (Student's t) begins; nothing with fewer than two blocks.
    pub low: Option<f64>,
    /// Where it ends.
    pub high: Option<f64>,
}

/// Every such figure of a run.
pub(crate) fn of(run: &Run) -> Vec<Follows> {
    let figure = |derived: &crate::Derived| {
        let mean = Mean::of(&derived.values);
        let interval = mean.as_ref().and_then(Mean::interval);
        Follows {
            label: derived.label.clone(),
            unit: derived.unit.clone(),
            formula: derived.formula.clone(),
            value: mean.map(|mean| mean.value),
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
        }
    };
    run.derived.iter().map(figure).collect()
}

impl Follows {
    /// `0.42 ms`, or a dash.
    pub(crate) fn said(&self) -> String {
        let Some(value) = self.value else {
            return "-".to_owned();
        };
        format!("{} {}", number(value), self.unit)
            .trim_end()
            .to_owned()
    }

    /// `0.38 to 0.47`, or a dash.
    pub(crate) fn interval(&self) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
            _ => "-".to_owned(),
        }
    }
}
