//! The load of an experiment.

use serde::Deserialize;

/// How requests are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// Evenly.
    Constant,
    /// As independent clients do.
    #[default]
    Poisson,
}

/// What is asked of the system, and how often.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadSpec {
    /// Requests per second, all kinds together.
    pub rate: f64,
    /// Rates one after the other, each for an equal part of the trial, instead of one.
    pub steps: Vec<f64>,
    /// Other rates for a while.
    pub spike: Vec<SpikeSpec>,
    /// How they are spread.
    pub arrivals: Process,
    /// Connections kept open, for each kind of request.
    pub connections: usize,
    /// Speak HTTP/2 and let so many requests share a connection; HTTP/1.1 when absent.
    pub streams: Option<usize>,
    /// How long an answer is waited for.
    pub timeout_ms: u64,
    /// Only what is answered within this time, from the scheduled moment on, is good.
    pub deadline_ms: Option<u64>,
    /// Asks the first of the seeded things more often: 1/rank^exponent; all alike when absent.
    pub zipf: Option<f64>,
    /// The kinds of requests; the first is the one whose latency is reported without its name.
    pub request: Vec<RequestSpec>,
}

impl Default for LoadSpec {
    fn default() -> Self {
        Self {
            rate: 200.0,
            steps: Vec::new(),
            spike: Vec::new(),
            arrivals: Process::default(),
            connections: 32,
            streams: None,
            timeout_ms: 5_000,
            deadline_ms: None,
            zipf: None,
            request: Vec::new(),
        }
    }
}

/// Another rate for a while.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeSpec {
    /// Requests per second, all kinds together.
    pub rate: f64,
    /// When it begins, in seconds.
    pub at_s: f64,
    /// How long it lasts, in seconds.
    pub lasts_s: f64,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// Its name: lower-case words with underscores.
    pub name: String,
    /// How often, compared with the other kinds.
    #[serde(default = "one")]
    pub share: f64,
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// The path, in which `{code}` or `{id}` stands for each of the seeded links.
    pub path: String,
    /// The content, in which each `{n}` is a number of its own.
    #[serde(default)]
    pub body: Option<String>,
    /// The media type of the content.
    #[serde(default = "json")]
    pub content_type: String,
}

const fn one() -> f64 {
    1.0
}

fn get() -> String {
    "GET".to_owned()
}

fn json() -> String {
    "application/json".to_owned()
}
