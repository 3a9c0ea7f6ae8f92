//! How events travel from the relay to a consumer. None of the carriers is trusted to keep them.

mod direct;
mod faulty;
mod nats;
mod push;

use std::sync::Arc;

use async_trait::async_trait;
use storage::Position;

use crate::Event;

pub(crate) use direct::Direct;
pub(crate) use faulty::{Faulty, Way};
pub use nats::{Nats, NatsError, NatsOptions};
pub(crate) use nats::{NatsLane, pull};
pub(crate) use push::PushLane;
pub use push::{MeshPush, Post};

/// A carrier could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CarrierError {
    /// It does not answer, or the consumer does not; send again later.
    #[error("{0}")]
    Unavailable(String),
    /// What it held is gone: everything that is not confirmed has to be sent again.
    #[error("{0}")]
    Lost(String),
}

/// How far the consumer's commits have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// Everything that was sent.
    All,
    /// Everything up to here.
    UpTo(Position),
    /// Nothing new is known.
    Unknown,
}

/// The way from one outbox to one consumer.
#[async_trait]
pub(crate) trait Carrier: Send {
    /// Begins anew: what the carrier still holds is void, the next event sent is the first that is
    /// not confirmed. Called at first, and after [`CarrierError::Lost`].
    async fn begin(&mut self, from: Position) -> Result<(), CarrierError>;

    /// Sends events, in order. After an error they are sent again, from the first one.
    async fn send(&mut self, events: &Arc<[Event]>) -> Result<(), CarrierError>;

    /// How far the consumer's commits have come.
    async fn confirmed(&mut self) -> Result<Confirmed, CarrierError>;
}
