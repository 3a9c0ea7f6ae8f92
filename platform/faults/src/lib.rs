//! Faults that are injected on purpose: one vocabulary for every seam where they strike.
//!
//! A [`FaultSpec`] says what is broken where, and for how long. [`Faults`] is the set of one process:
//! the seams ask it on the data path. Each fault is a lease that goes by the steady clock, so it ends
//! at its time whatever becomes of whoever asked for it. There is no I/O here; a seam enacts what a
//! [`Hit`] says.

mod clock;
mod effect;
mod error;
mod lease;
mod place;
mod seam;
mod set;
mod spec;

pub use clock::FaultyClock;
pub use effect::{Effect, MS_MAX, STEP_MS_MAX, Wait};
pub use error::FaultError;
pub use lease::{FaultView, Hit, Lease};
pub use place::{Place, unplaced};
pub use seam::Seam;
pub use set::{Change, Changed, FAULTS_MAX, Facts, Faults};
pub use spec::{FaultSpec, Selector, TTL_MS_MAX};
