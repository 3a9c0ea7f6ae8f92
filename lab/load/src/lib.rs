//! Open-loop HTTP load: requests leave when a schedule says, whatever the server does.
//!
//! schedule ([`Profile`], [`Arrivals`], [`Keys`]) -> dispatcher -> bounded queue -> connections ->
//! recorder -> [`Report`]. Latency counts from the scheduled moment, so a server that stalls cannot
//! hide; service time, from the moment of sending, stands beside it. The generator watches its own
//! lag and CPU, and says so when it was the bottleneck itself.

mod arrivals;
mod connection;
mod cost;
mod dispatch;
mod handle;
mod keys;
mod lane;
mod plan;
mod queue;
mod rate;
mod recorder;
mod report;
mod run;
mod table;
mod target;
mod timeline;
mod timer;
mod verdict;

pub use arrivals::{Arrivals, Process};
pub use handle::{Handle, Progress};
pub use keys::{Keys, Popularity};
pub use plan::{CONNECTIONS_MAX, DURATION_MAX, Plan, PlanError, Protocol, QUEUE_MAX, STREAMS_MAX};
pub use rate::{Profile, RATE_MAX, Spike};
pub use report::{Achieved, Errors, Failure, Generator, NotSent, Report, Setting, Statuses, Times};
pub use run::{Run, RunError};
pub use target::{Target, TargetError};
pub use timeline::Second;
pub use verdict::{Kind as VerdictKind, Verdict};
