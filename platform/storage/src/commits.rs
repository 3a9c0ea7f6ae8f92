//! Who shares a commit: a design choice of the service whose database it is.

use kernel::{Choice, ChoiceKnob};
use parking_lot::Mutex;

/// Whether transactions that wait at the same time share a commit. SQLite only: on PostgreSQL each
/// has its own, and the server groups what it writes to disk by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commits {
    /// Those that wait are committed together, with one sync to disk.
    Grouped,
    /// Each has a commit and a sync of its own.
    Single,
}

impl Choice for Commits {
    const ALL: &'static [(&'static str, Self)] =
        &[("grouped", Self::Grouped), ("single", Self::Single)];
}

/// The choice of one database, grouped until a knob is given.
#[derive(Default)]
pub(crate) struct Chosen(Mutex<Option<ChoiceKnob<Commits>>>);

impl Chosen {
    pub(crate) fn by(&self, knob: ChoiceKnob<Commits>) {
        *self.0.lock() = Some(knob);
    }

    pub(crate) fn get(&self) -> Commits {
        let knob = self.0.lock();
        knob.as_ref().map_or(Commits::Grouped, ChoiceKnob::get)
    }
}
