//! What a run has recorded. Kept as `run.json`; everything else is computed from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A run of an experiment, finished or ended early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this format; 1.
    pub format: u32,
    /// Its name: when it began, and which experiment: `20261127-071500-cache-policies`.
    pub id: String,
    /// What was asked.
    pub experiment: Experiment,
    /// When it began: microseconds since the Unix epoch.
    pub started_at: i64,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
    /// Whether it was the short form.
    pub quick: bool,
    /// Decides every random choice.
    pub seed: u64,
    /// The version of the program.
    pub version: String,
    /// Whether it was ended before its time.
    pub ended_early: bool,
    /// Where it ran.
    pub machine: Machine,
    /// What was loaded; several when variants need systems of their own.
    pub systems: Vec<System>,
    /// What was measured, in the order shown.
    pub metrics: Vec<Metric>,
    /// What was compared; the first is what the others are compared with.
    pub variants: Vec<Variant>,
    /// Every trial, in the order in which they ran.
    pub trials: Vec<Trial>,
    /// What follows from the metrics of several variants.
    #[serde(default)]
    pub derived: Vec<Derived>,
    /// What had to hold or break, and did or did not.
    pub checks: Vec<CheckOutcome>,
    /// What the reader guessed before.
    pub guess: Option<Guess>,
    /// Anything that a reader should know: what was too noisy, what the load generator says.
    pub notes: Vec<String>,
}

/// What an experiment asks and teaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its name: `cache-policies`.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What it asks, in a sentence.
    pub question: String,
    /// The phase of the journey, 1 to 10.
    pub phase: u8,
    /// What to read before: why it matters.
    pub why: String,
    /// What to read after: what the figures mean.
    pub lesson: String,
    /// Where in the code to look: paths from the root of the project.
    pub look: Vec<String>,
    /// What the reader is asked before the run.
    pub prediction: Option<Prediction>,
    /// The file that it was read from, as text.
    pub text: String,
}

/// A question to the reader before the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// The question.
    pub question: String,
    /// What can be answered; empty when a number is asked for.
    pub options: Vec<String>,
    /// The metric of the answer when a number is asked for, as `variant.metric`, or as
    /// `variant/variant.metric` for the ratio of the first to the second.
    pub measures: Option<String>,
}

/// What a reader guessed, and how far off it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guess {
    /// As it was typed.
    pub text: String,
    /// As a number, when a number was asked for.
    pub value: Option<f64>,
    /// What was measured.
    pub measured: Option<f64>,
}

/// Where a run took place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// How many cores the program may use.
    pub cores: usize,
    /// The processor, as the system names it.
    pub cpu: String,
    /// The kernel.
    pub os: String,
    /// Main memory.
    pub memory_mib: u64,
}

/// A system that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// Its name within the run.
    pub name: String,
    /// `together`, `strict` or `apart`.
    pub topology: String,
    /// SQLite or PostgreSQL.
    pub store: String,
    /// memory or Redis.
    pub cache: String,
    /// How events travel.
    pub bus: String,
    /// Processes, by service: one entry per replica.
    pub replicas: BTreeMap<String, u32>,
    /// Who calls whom, for the drawing: caller and callee.
    pub edges: Vec<(String, String)>,
}

/// One thing that is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name in files: `p99_ms`.
    pub name: String,
    /// Its name for people: `p99`.
    pub label: String,
    /// `ms`, `1/s`, `%`, `us`, `MiB`, `B`, or nothing.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
    /// How two values are compared.
    pub compared: Compared,
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// It depends.
    Neither,
}

/// How two values of a metric are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// By their ratio: times, rates, costs. Values are above zero.
    Ratio,
    /// By their difference: shares and counts, which may be zero.
    Difference,
}

/// One of the designs that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name: `write_through`.
    pub name: String,
    /// A few words about it.
    pub label: String,
    /// What makes it what it is: `links.cache` -> `write_through`.
    pub settings: BTreeMap<String, String>,
    /// Which of the systems it ran on.
    pub system: usize,
}

/// One measurement of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which variant.
    pub variant: usize,
    /// Trials of a block ran right after each other, one of each variant: they are compared in pairs.
    pub block: u32,
    /// When it began: microseconds since the Unix epoch.
    pub started_at: i64,
    /// How long its load lasted, in seconds.
    pub elapsed_s: f64,
    /// By metric; one that is missing could not be measured.
    pub values: BTreeMap<String, f64>,
    /// Quantiles of latency with their milliseconds, ever finer towards 1.
    pub latency: Vec<(f64, f64)>,
    /// Each second of it.
    pub seconds: Vec<Second>,
    /// What happened in it.
    pub marks: Vec<Mark>,
    /// What the load generator says of itself, when it was the bottleneck.
    pub limited: Option<String>,
}

/// A second of a trial.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Which one, from zero.
    pub second: u32,
    /// Requests that were due.
    pub due: u64,
    /// Answers that were wanted: no error, and in time.
    pub good: u64,
    /// Everything else that ended.
    pub bad: u64,
    /// Latency of what ended in it, in milliseconds.
    pub p50_ms: f64,
    /// The same.
    pub p99_ms: f64,
    /// The same.
    pub max_ms: f64,
}

/// Something that happened during a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Seconds since the trial began; below zero when before.
    pub at_s: f64,
    /// When it ended, for what lasts.
    pub until_s: Option<f64>,
    /// What kind of thing.
    pub kind: MarkKind,
    /// In a few words.
    pub text: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A fault was at work.
    Fault,
    /// A knob was turned.
    Knob,
    /// A policy was changed.
    Policy,
    /// The load changed.
    Load,
    /// A process started, ended or came back.
    Process,
    /// Anything else: a breaker opened, a replica was ejected.
    Other,
}

/// A figure that follows from others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// What it is.
    pub label: String,
    /// Its unit.
    pub unit: String,
    /// How it follows: `strict.p50_ms - together.p50_ms`.
    pub formula: String,
    /// What it is in each block in which everything was measured.
    pub values: Vec<f64>,
}

/// What was expected of one variant, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// Which variant.
    pub variant: usize,
    /// In words: `p99_ms <= 50`, `no click is lost`.
    pub claim: String,
    /// Whether it had to hold or to break.
    pub expected: Effect,
    /// Whether it held or broke; nothing when it could not be told.
    pub seen: Option<Effect>,
    /// What was seen, in words: the value, or the counterexample.
    pub detail: String,
}

/// Whether a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It holds.
    Holds,
    /// It does not.
    Breaks,
}

impl CheckOutcome {
    /// Whether it came as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.seen == Some(self.expected)
    }
}
