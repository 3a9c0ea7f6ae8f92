//! Experiments: a question as a file, the variants of a design on a running system, and what each
//! cost.
//!
//! [`Spec::read`] reads a file, [`Spec::check`] holds it against what exists, [`Lab::run`] runs it
//! and fills a [`reports::Run`]. The systems that are measured are processes of their own; the load
//! comes from this one.

mod catalogue;
mod claim;
mod client;
mod design;
mod error;
mod events;
mod formula;
mod judge;
mod killing;
mod library;
mod loads;
mod machine;
mod metrics;
mod prices;
mod probe;
mod proof;
mod run;
mod seed;
mod simulated;
mod snapshot;
mod spec;
mod system;
mod touches;
mod trial;
mod up;
mod values;
mod weather;

pub use catalogue::Catalogue;
pub use error::{Error, Result};
pub use library::LIBRARY;
pub use prices::{Knob, PRICES, Price, PriceList, PricePlan, Priced, price_plans};
pub use proof::{Proof, prove};
pub use run::{Lab, Wanted, clean_up};
pub use simulated::Simulated;
pub use spec::{Form, Mistake, Spec};
pub use system::Target;
