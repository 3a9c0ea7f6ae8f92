//! Runs of experiments: what was recorded ([`Run`]), what follows from it, and how it is shown.
//!
//! Pure: no clock, no files, no sockets. Whoever runs an experiment fills a [`Run`].

mod model;

pub use model::{
    Better, CheckOutcome, Compared, Effect, Experiment, Guess, Machine, Mark, MarkKind, Metric,
    Prediction, Run, Second, System, Trial, Variant,
};
