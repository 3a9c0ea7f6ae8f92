//! Pure rules of short links: no clock, no dice, no store. Time and randomness are passed in.

pub(crate) mod agent;
pub(crate) mod batch;
pub(crate) mod bookmarks;
pub(crate) mod code;
pub(crate) mod day;
pub(crate) mod decide;
pub(crate) mod draft;
pub(crate) mod host;
pub(crate) mod json;
pub(crate) mod language;
pub(crate) mod link;
pub(crate) mod network;
pub(crate) mod route;
pub(crate) mod rule;
pub(crate) mod sheet;
pub(crate) mod tally;
pub(crate) mod target;
pub(crate) mod top;
pub(crate) mod visitors;
