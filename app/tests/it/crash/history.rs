//! What clients were told, and what the system says afterwards.

use std::collections::BTreeMap;

/// What a client knows about a request that it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It was done: the answer came.
    Done,
    /// The answer never came: it may have been done or not.
    Unknown,
    /// It was not done: the answer said so.
    Refused,
}

/// A link that a client asked for, with a target that nobody else asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Create {
    /// Where it leads; unique over the whole history.
    pub(crate) target: String,
    /// The idempotency key that it was asked for under.
    pub(crate) key: String,
    /// What was asked for.
    pub(crate) link: serde_json::Value,
    /// The code in the answer, when it came.
    pub(crate) code: Option<String>,
    /// What the client was told.
    pub(crate) told: Told,
}

/// Clicks that clients made on one link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clicks {
    /// Requests sent.
    pub(crate) attempted: u64,
    /// Redirects received.
    pub(crate) redirected: u64,
}

/// Everything that clients did and were told.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Links asked for.
    pub(crate) creates: Vec<Create>,
    /// Clicks by code, over all rounds.
    pub(crate) clicks: BTreeMap<String, Clicks>,
    /// The click limit by code, for links that have one.
    pub(crate) limits: BTreeMap<String, u64>,
}

/// What the system says after it has been started again.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Code and target of every link.
    pub(crate) links: Vec<(String, String)>,
    /// Clicks counted by code.
    pub(crate) clicks: BTreeMap<String, u64>,
}
