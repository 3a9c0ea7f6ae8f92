//! What clients were told, and what the system says afterwards.

use std::collections::BTreeMap;

use serde_json::Value;

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

/// A link that a client asked for. Nobody else changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its title; unique over the whole history.
    pub(crate) name: String,
    /// The idempotency key that it was asked for under.
    pub(crate) key: String,
    /// What was asked for.
    pub(crate) body: Value,
    /// The code in the answer, when it came.
    pub(crate) code: Option<String>,
    /// What the client was told.
    pub(crate) told: Told,
    /// What was asked of it afterwards, in this order.
    pub(crate) changes: Vec<Change>,
    /// The clicks made on it.
    pub(crate) clicks: Clicks,
}

/// A change of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The idempotency key that it was asked for under.
    pub(crate) key: String,
    /// What it is to be.
    pub(crate) want: Want,
    /// What the client was told.
    pub(crate) told: Told,
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Want {
    /// Another target.
    Target(String),
    /// Another limit of clicks.
    Limit(u64),
    /// To be removed.
    Gone,
}

/// Clicks that clients made on one link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Clicks {
    /// Requests sent.
    pub(crate) attempted: u64,
    /// Redirects received.
    pub(crate) redirected: u64,
    /// How many of them no crash may take back.
    pub(crate) sure: u64,
}

impl Link {
    /// Where it leads, by all that was done.
    pub(crate) fn target(&self) -> &str {
        let target = |change: &'_ Change| matches!(change.want, Want::Target(_));
        let last = self.done().filter(|c| target(c)).last();
        match last.map(|c| &c.want) {
            Some(Want::Target(target)) => target,
            _ => self.body["url"].as_str().unwrap_or_default(),
        }
    }

    /// The largest limit of clicks that it was ever asked to have.
    pub(crate) fn limit(&self) -> Option<u64> {
        let later = self.changes.iter().filter_map(|change| match change.want {
            Want::Limit(limit) => Some(limit),
            _ => None,
        });
        later.chain(self.body["max_clicks"].as_u64()).max()
    }

    /// Its version: one more for each change that was done.
    pub(crate) fn version(&self) -> u64 {
        1 + self.done().count() as u64
    }

    /// Whether it was removed.
    pub(crate) fn is_gone(&self) -> bool {
        self.done().any(|change| change.want == Want::Gone)
    }

    /// Whether the client knows of every change what became of it.
    pub(crate) fn is_settled(&self) -> bool {
        self.changes.iter().all(|c| c.told != Told::Unknown)
    }

    fn done(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|c| c.told == Told::Done)
    }
}

/// Everything that clients did in one round, and were told.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Links asked for.
    pub(crate) links: Vec<Link>,
    /// How many clicks the program itself called committed before it was killed.
    pub(crate) committed: u64,
}

impl History {
    /// Adds what another client saw.
    pub(crate) fn absorb(&mut self, more: Self) {
        self.links.extend(more.links);
        self.committed += more.committed;
    }

    /// Redirects that clients received.
    pub(crate) fn redirected(&self) -> u64 {
        self.links.iter().map(|link| link.clicks.redirected).sum()
    }

    /// From now on every redirect that was answered is counted for good.
    pub(crate) fn all_is_sure(&mut self) {
        for link in &mut self.links {
            link.clicks.sure = link.clicks.redirected;
        }
    }
}

/// A link as the system shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) target: String,
    pub(crate) version: u64,
    /// The limit of clicks, and how many are left.
    pub(crate) limit: Option<(u64, u64)>,
}

/// What the system says after it has been started again.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Every link.
    pub(crate) links: Vec<Found>,
    /// Clicks counted by code.
    pub(crate) clicks: BTreeMap<String, u64>,
}
