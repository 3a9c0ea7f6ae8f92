//! What is known of one metric of one variant, and with which certainty.

use serde::{Deserialize, Serialize};

use crate::model::Better;

/// What is known of one metric of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Which metric, by name.
    pub metric: String,
    /// Which way is better.
    pub better: Better,
    /// How many trials it was made from.
    pub trials: usize,
    /// In how many it could not be measured.
    pub missing: usize,
    /// The mean over trials, in the metric's unit; the geometric mean where ratios are compared.
    pub value: Option<f64>,
    /// Where its 95 % interval begins; nothing with fewer than two trials.
    pub low: Option<f64>,
    /// Where it ends.
    pub high: Option<f64>,
    /// The coefficient of variation between trials, as a share.
    pub variation: Option<f64>,
    /// How far it is from the first variant; nothing for the first itself, or with too few pairs.
    pub difference: Option<Difference>,
    /// What may be said of that.
    pub verdict: Verdict,
}

/// How far a variant is from the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Whether it is a factor (1 is none) or is added (0 is none).
    pub as_ratio: bool,
    /// The difference.
    pub value: f64,
    /// Where its 95 % interval begins. It is of this one comparison, not corrected for the others.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// How many pairs it was made from; without pairs, the trials of the smaller side.
    pub pairs: usize,
    /// How often one at least as large comes about by chance, looked at alone.
    pub p: f64,
    /// The same by Holm's correction over all comparisons of the run.
    pub adjusted_p: f64,
}

/// What may be said of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is the first variant, with which the others are compared.
    First,
    /// It differs, and for the better.
    Better,
    /// It differs, and for the worse.
    Worse,
    /// It differs; which way is better depends.
    Differs,
    /// No difference was seen, and a large one would have been.
    NoDifferenceSeen,
    /// No difference was seen, and not even a large one would have been.
    TooNoisy,
    /// Fewer than three pairs.
    TooFew,
    /// One of the two was never measured.
    NotMeasured,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::First => "the first",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Differs => "differs",
            Self::NoDifferenceSeen => "no difference seen",
            Self::TooNoisy => "too noisy to tell",
            Self::TooFew => "too few trials",
            Self::NotMeasured => "not measured",
        }
    }

    /// Whether a difference is claimed.
    #[must_use]
    pub fn is_claim(self) -> bool {
        matches!(self, Self::Better | Self::Worse | Self::Differs)
    }
}
