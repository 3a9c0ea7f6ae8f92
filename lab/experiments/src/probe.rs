//! What watches a trial besides its load.

mod clicks;
mod guess;
mod staleness;

pub(crate) use clicks::Clicks;
pub(crate) use guess::guess;
pub(crate) use staleness::staleness;
