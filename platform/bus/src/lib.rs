//! Events between services: read from the producer's outbox, carried, applied under an inbox.
//!
//! The outbox is the truth. A carrier (a call in this process, a push over the mesh, NATS) may lose
//! everything that it holds: the relay sends again from the last position that the consumer's own
//! commit has confirmed. A consumer notes each event in its inbox, in the transaction of its effects,
//! so what is carried twice takes effect once. An event that cannot be applied parks its key: later
//! events with that key wait behind it, in order, and all other keys go on.

mod bus;
mod carrier;
mod consumer;
mod event;
mod held;
mod inlet;
mod metrics;
mod options;
mod parked;
mod relay;
mod retry;
mod tail;

pub use bus::{Bus, BusError, Route, Via};
pub use carrier::{MeshPush, Nats, NatsError, NatsOptions, Post};
pub use consumer::{Consumer, EventHandler, HandlerError, Listener, Mode};
pub use event::{Event, EventError};
pub use options::{BusOptions, RetryOptions};
pub use parked::DeadLetter;
