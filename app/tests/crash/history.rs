//! What clients were told, and what the system says afterwards.

use std::collections::BTreeMap;

/// What a client knows about a request that it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was done: the answer came.
    Done,
    /// The answer never came: it may have been done or not.
    Unknown,
    /// It was not done: the answer said so.
    Refused,
}

/// A link that a client asked for, with a target that nobody else asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// Where it leads; unique over the whole history.
    pub target: String,
    /// The code in the answer, when it came.
    pub code: Option<String>,
    /// What the client was told.
    pub told: Told,
}

/// Clicks that clients made on one link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clicks {
    /// Requests sent.
    pub attempted: u64,
    /// Redirects received.
    pub redirected: u64,
}

/// Everything that clients did and were told.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Links asked for.
    pub creates: Vec<Create>,
    /// Clicks by code, over all rounds.
    pub clicks: BTreeMap<String, Clicks>,
    /// The click limit by code, for links that have one.
    pub limits: BTreeMap<String, u64>,
}

/// What the system says after it has been started again.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Code and target of every link.
    pub links: Vec<(String, String)>,
    /// Clicks counted by code.
    pub clicks: BTreeMap<String, u64>,
}
