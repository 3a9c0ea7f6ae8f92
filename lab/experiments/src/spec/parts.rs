//! The parts of an experiment but for its load.

use std::collections::BTreeMap;

use faults::FaultSpec;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// What a reader is asked before the run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionSpec {
    /// The question.
    pub question: String,
    /// What can be answered; a number is asked for when there is nothing.
    #[serde(default)]
    pub options: Vec<String>,
    /// What the number is compared with: `variant.metric`, or `variant/variant.metric` for the ratio
    /// of the first to the second.
    pub measures: Option<Spanned<String>>,
}

/// How the services are spread over processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// In one process.
    #[default]
    Together,
    /// In one process, but calls go through the codecs.
    Strict,
    /// One process per service and replica.
    Apart,
}

impl Topology {
    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::Strict => "strict",
            Self::Apart => "apart",
        }
    }
}

/// What the system stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backends {
    /// SQLite, memory, in process.
    #[default]
    Embedded,
    /// Private PostgreSQL, Redis and NATS servers.
    Local,
}

/// What is loaded.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SystemSpec {
    /// How the services are spread over processes.
    pub topology: Topology,
    /// How many processes of a service, by name; only apart.
    pub replicas: BTreeMap<String, u32>,
    /// What it stands on.
    pub backends: Backends,
    /// Configuration, by key.
    pub config: BTreeMap<String, toml::Value>,
}

/// What is there before the load begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSpec {
    /// So many short links: `{code}` and `{id}` in paths stand for each of them.
    pub links: usize,
}

impl Default for DataSpec {
    fn default() -> Self {
        Self { links: 200 }
    }
}

/// One of the designs that are compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantSpec {
    /// Its name: lower-case words with underscores.
    pub name: String,
    /// A few words about it.
    #[serde(default)]
    pub label: String,
    /// Knobs, as `service.knob`; those not named have their default.
    #[serde(default)]
    pub knobs: BTreeMap<String, Spanned<String>>,
    /// Policies of edges, as `caller -> callee`; what is not named has its default.
    #[serde(default)]
    pub policies: BTreeMap<String, toml::Value>,
    /// Which of the twins it is.
    pub twin: Option<Spanned<String>>,
    /// Another topology than the system's.
    pub topology: Option<Topology>,
    /// Other replicas than the system's.
    pub replicas: Option<BTreeMap<String, u32>>,
    /// Other backends than the system's.
    pub backends: Option<Backends>,
    /// More configuration than the system's.
    #[serde(default)]
    pub config: BTreeMap<String, toml::Value>,
}

/// Twins that are killed: `lab/twins`. Each variant names its `twin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinsSpec {
    /// How often each is killed in a trial.
    pub kills: u32,
}

/// How long, and how often.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrialsSpec {
    /// How long a trial is loaded.
    pub seconds: f64,
    /// How many trials of each variant.
    pub blocks: u32,
    /// How long each variant is loaded before anything counts.
    pub warm_up_seconds: f64,
    /// Whether each trial has a new system.
    pub fresh: bool,
}

impl Default for TrialsSpec {
    fn default() -> Self {
        Self {
            seconds: 5.0,
            blocks: 8,
            warm_up_seconds: 2.0,
            fresh: false,
        }
    }
}

/// Something that happens at a moment of each trial: exactly one of the three.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherSpec {
    /// When, in seconds since the trial began.
    pub at_s: f64,
    /// For which variants; all when absent.
    #[serde(default)]
    pub of: Vec<Spanned<String>>,
    /// A fault, as `tradewind fault add` takes it.
    pub fault: Option<FaultSpec>,
    /// Knobs that are turned, as `service.knob`.
    #[serde(default)]
    pub knobs: BTreeMap<String, Spanned<String>>,
    /// Policies that are set, as `caller -> callee`.
    #[serde(default)]
    pub policies: BTreeMap<String, toml::Value>,
}

/// Whether goodput comes back after a trigger. Gives the metrics `recovery_s`, from the end of the
/// trigger on, and `goodput_after_percent`: the median of the last third of what follows, as a share
/// of the median before.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoverySpec {
    /// When the trigger begins.
    pub from_s: f64,
    /// When it ends.
    pub until_s: f64,
    /// The share of the goodput before that counts as recovered.
    #[serde(default = "recovered")]
    pub share: f64,
}

const fn recovered() -> f64 {
    0.95
}

/// What watches a trial besides the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// Edits links and looks how long the old target is still served: `stale_p50_ms`,
    /// `stale_max_ms`, `stale_reads_percent`, `backward_reads`.
    Staleness,
    /// Counts what clients were told against what is stored: `clicks_lost`, `clicks_unasked`.
    Clicks,
    /// Tries codes next to known ones: `guessed_percent`.
    Guess,
}

/// A probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// What it does.
    pub kind: ProbeKind,
}

/// Something that is counted from the metrics of the system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureSpec {
    /// Its name: `hit_percent`.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub label: String,
    /// Its unit, to show.
    #[serde(default)]
    pub unit: String,
    /// Which way is better.
    #[serde(default)]
    pub better: Option<reports::Better>,
    /// What grows during a trial: `cache_hits_total{cache="links.routes"}`; several are added up.
    pub counter: Vec<String>,
    /// What it is divided by.
    #[serde(default)]
    pub per: Per,
    /// The result is multiplied by this.
    #[serde(default = "one")]
    pub scale: f64,
}

const fn one() -> f64 {
    1.0
}

/// What a count is divided by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(untagged)]
pub enum Per {
    /// Nothing.
    #[default]
    Trial,
    /// `request` or `second`.
    Unit(String),
    /// Other counters, added up.
    Counters(Vec<String>),
}

/// A figure that follows from others.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeriveSpec {
    /// What it is.
    pub label: String,
    /// Its unit, to show.
    #[serde(default)]
    pub unit: String,
    /// How it follows: `strict.p50_ms - together.p50_ms`, with + - * / and brackets.
    pub formula: Spanned<String>,
}

/// What must hold, or must break.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// Of which variants; all when absent.
    #[serde(default)]
    pub of: Vec<Spanned<String>>,
    /// `p99_ms <= 50`, or `p99_ms < 0.5 * round_robin.p99_ms`.
    pub claim: Spanned<String>,
    /// Whether it must hold or break.
    #[serde(default)]
    pub must: Must,
}

/// What is expected of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Must {
    /// It holds.
    #[default]
    Hold,
    /// It does not.
    Break,
}
