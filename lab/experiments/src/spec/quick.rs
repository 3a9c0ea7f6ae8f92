//! The short form of an experiment.

use serde::Deserialize;

use super::Spec;

/// What is different in the short form, which shows the mechanism and not the last digit.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuickSpec {
    /// How long a trial is loaded; unless given, as in the whole form, but 2 s at most.
    pub seconds: Option<f64>,
    /// How many trials of each variant.
    pub blocks: u32,
    /// How long each variant is loaded before anything counts.
    pub warm_up_seconds: f64,
    /// Requests per second.
    pub rate: Option<f64>,
    /// How often a twin is killed.
    pub kills: Option<u32>,
}

impl Default for QuickSpec {
    fn default() -> Self {
        Self {
            seconds: None,
            blocks: 4,
            warm_up_seconds: 0.5,
            rate: None,
            kills: None,
        }
    }
}

/// How long a trial of the short form is at most when nothing is said.
const SECONDS: f64 = 2.0;

impl Spec {
    /// The short form.
    #[must_use]
    pub fn quick(mut self) -> Self {
        let quick = self.quick;
        self.trials.seconds = quick.seconds.unwrap_or(self.trials.seconds.min(SECONDS));
        self.trials.blocks = quick.blocks;
        self.trials.warm_up_seconds = quick.warm_up_seconds;
        if let Some(rate) = quick.rate {
            self.load.rate = rate;
        }
        if let (Some(twins), Some(kills)) = (&mut self.twins, quick.kills) {
            twins.kills = kills;
        }
        self
    }
}
