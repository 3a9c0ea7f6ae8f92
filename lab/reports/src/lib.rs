//! Runs of experiments: what was recorded ([`Run`]), what follows from it, and how it is shown.
//!
//! Pure: no clock, no files, no sockets. Whoever runs an experiment fills a [`Run`].

mod compare;
mod date;
mod derived;
mod estimate;
mod html;
mod markdown;
mod model;
mod number;
mod self_test;
mod stats;
mod summary;
mod text;
mod words;

pub use compare::{Both, Comparison, compare};
pub use derived::Follows;
pub use estimate::{Difference, Estimate, Verdict};
pub use html::to_html;
pub use markdown::to_markdown;
pub use model::{
    Better, CheckOutcome, Compared, Derived, Effect, Experiment, Guess, Machine, Mark, MarkKind,
    Metric, Prediction, Run, Second, System, Trial, Variant,
};
pub use number::{difference_interval, interval, number};
pub use self_test::{Cut, MetricRate, Outcome, Rate, SelfTest, self_test};
pub use stats::{FALSE_ALARMS_MAX, PAIRS_MIN, WIDEST_RATIO, WIDEST_SHARE};
pub use summary::{Checks, Found, Guessed, MetricNoise, Noise, Summary, measured, summary};
pub use text::{to_json, to_text};
