//! What must hold of a recorded history, as pure functions: no I/O, no clock, no randomness.
//!
//! A [`History`] says what clients asked for and what they were told. Checks over it give a
//! [`Verdict`]: held, broken with the fewest operations that show it, or unknown with the reason.
//! [`recovery`] and [`goodput`] work on numbers per second, and an [`Slo`] on one number.

pub mod conservation;
mod exactly_once;
pub mod goodput;
mod history;
pub mod linear;
mod operation;
pub mod recovery;
mod session;
mod slo;
mod verdict;

pub use exactly_once::exactly_once;
pub use history::{
    History, HistoryError, KEY_BYTES_MAX, OPERATIONS_MAX, ParseError, TEXT_BYTES_MAX,
};
pub use linear::{Effort, linearizable};
pub use operation::{Ask, Item, Operation, Outcome, Seen, Value};
pub use session::{monotonic_reads, read_your_writes};
pub use slo::{Comparison, Domain, Slo, SloError, availability, error_rate, latency_quantile};
pub use verdict::{Counterexample, EXAMPLES_MAX, Found, Verdict, Witness};
