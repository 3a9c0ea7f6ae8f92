//! Ids, clock, randomness, paging, deadlines, error codes, knobs: what everything stands on.
//!
//! No I/O happens here, apart from the two system sources ([`SystemClock`], [`SystemRandom`])
//! that the composition root hands in, and [`Tasks`], which only starts and stops work.

mod clock;
mod code;
mod ctx;
mod deadline;
mod field;
mod id;
mod knob;
mod page;
mod principal;
mod problem;
mod random;
mod scopes;
mod similar;
mod tasks;

pub use clock::{Clock, ManualClock, Sleep, Steady, SystemClock, Timestamp};
pub use code::{Code, Coded, Retry};
pub use ctx::Ctx;
pub use deadline::Deadline;
pub use field::FieldError;
pub use id::Id;
pub use knob::{Choice, ChoiceKnob, KnobError, KnobInfo, Knobs, Switch};
pub use page::{Cursor, CursorError, Page, PageLimit, Seek};
pub use principal::{DEFAULT_TENANT, Kind, Principal};
pub use problem::Problem;
pub use random::{Random, SeededRandom, SystemRandom};
pub use scopes::{ScopeError, Scopes};
pub use similar::nearest;
pub use tasks::Tasks;
