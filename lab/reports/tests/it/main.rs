//! What a run becomes: figures whose certainty is simulated, and every form of report.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod certainty;
mod compared;
mod edges;
mod forms;
mod page;
mod sample;
mod simulate;
