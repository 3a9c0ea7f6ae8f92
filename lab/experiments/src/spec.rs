//! An experiment as it is written: one TOML file.

mod load;
mod mistake;
mod parts;
mod proof;
mod quick;
mod read;

pub(crate) use load::{LoadSpec, Process, RequestSpec};
pub use mistake::Mistake;
pub(crate) use mistake::{in_our_words, unknown};
pub(crate) use parts::{
    Backends, CheckSpec, DataSpec, DeriveSpec, MeasureSpec, Must, Per, PredictionSpec, ProbeKind,
    ProbeSpec, RecoverySpec, SystemSpec, Topology, TrialsSpec, TwinsSpec, VariantSpec, WeatherSpec,
};
pub(crate) use proof::ProofSpec;
pub(crate) use quick::QuickSpec;

use serde::Deserialize;
use toml::Spanned;

/// An experiment: a question, the designs that are compared, the load, the weather, the checks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Its name: lower-case words with dashes.
    pub id: Spanned<String>,
    /// Its name for people.
    pub title: String,
    /// What it asks, in a sentence.
    pub question: String,
    /// The phase of the journey, 1 to 10.
    pub phase: Spanned<u8>,
    /// What to read before.
    pub why: String,
    /// What to read after.
    pub lesson: String,
    /// Where in the code to look: paths from the root of the project.
    #[serde(default)]
    pub look: Vec<String>,
    /// What the reader is asked before the run.
    pub prediction: Option<PredictionSpec>,
    /// What is loaded, unless a variant says otherwise.
    #[serde(default)]
    pub system: SystemSpec,
    /// What is there before the load begins.
    #[serde(default)]
    pub data: DataSpec,
    /// The designs that are compared; the others are compared with the first.
    pub variant: Vec<Spanned<VariantSpec>>,
    /// What is asked of the system.
    #[serde(default)]
    pub load: LoadSpec,
    /// Kills a twin again and again instead of loading a system.
    pub twins: Option<TwinsSpec>,
    /// How long, and how often.
    #[serde(default)]
    pub trials: TrialsSpec,
    /// What is different in the short form.
    #[serde(default)]
    pub quick: QuickSpec,
    /// What is different in the proof form.
    #[serde(default)]
    pub proof: ProofSpec,
    /// What happens during each trial.
    #[serde(default)]
    pub weather: Vec<Spanned<WeatherSpec>>,
    /// Whether it recovers from a trigger.
    pub recovery: Option<RecoverySpec>,
    /// What watches it besides the load.
    #[serde(default)]
    pub probe: Vec<ProbeSpec>,
    /// What is counted besides what always is.
    #[serde(default)]
    pub measure: Vec<Spanned<MeasureSpec>>,
    /// What follows from the metrics of several variants.
    #[serde(default)]
    pub derive: Vec<DeriveSpec>,
    /// What must hold, and what must break.
    #[serde(default)]
    pub check: Vec<Spanned<CheckSpec>>,
    /// The text that it was read from.
    #[serde(skip)]
    pub text: String,
}

/// How much of an experiment is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As many trials as its statistics need.
    #[default]
    Whole,
    /// So many that the mechanism shows.
    Quick,
    /// Each variant once, for as long as it takes to see that it works.
    Proof,
}

impl Spec {
    /// The variants without their places in the file.
    pub fn variants(&self) -> impl Iterator<Item = &VariantSpec> {
        self.variant.iter().map(Spanned::get_ref)
    }
}
