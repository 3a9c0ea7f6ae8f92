//! Events between services: read from the producer's outbox, carried, applied under an inbox.
//!
//! The outbox is the truth. A carrier (a call in this process, a push over the mesh, NATS) may lose
//! everything that it holds: the relay sends again from the last position that the consumer's own
//! commit has confirmed. A consumer notes each event in its inbox, in the transaction of its effects,
//! so what is carried twice takes effect once. See `bus.md` beside this crate for the whole story.

mod consumer;
mod event;

pub use consumer::{Consumer, EventHandler, HandlerError, Listener, Mode};
pub use event::{EVENT_BYTES_MAX, Event, EventError};
