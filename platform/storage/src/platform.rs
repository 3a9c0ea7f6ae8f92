//! The tables that every service's database has, and the typed functions over them.

pub(crate) mod cursor;
pub(crate) mod inbox;
pub(crate) mod knob;
pub(crate) mod lease;
pub(crate) mod once;
pub(crate) mod outbox;
mod prune;
pub(crate) mod recent;
