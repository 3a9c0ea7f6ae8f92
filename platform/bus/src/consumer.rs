//! Who reacts to events, and how.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use storage::Tx;

use crate::{Event, EventError};

/// Applies events inside the consumer's own transaction.
pub trait EventHandler: Send + Sync + 'static {
    /// Applies one event. Its effects and its inbox row are committed together, or not at all.
    ///
    /// It may run again after a rollback, so it does nothing but work on the database.
    fn handle<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        event: &'a Event,
    ) -> LocalBoxFuture<'a, Result<(), HandlerError>>;
}

/// An event could not be applied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HandlerError {
    /// The database failed. If that may pass, the event is tried until it does, and does not count.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// It may work later: tried again with a growing pause, then a dead letter.
    #[error("{0}")]
    Failed(String),
    /// It can never work: a dead letter at once.
    #[error("{0}")]
    Poison(String),
}

impl From<EventError> for HandlerError {
    fn from(error: EventError) -> Self {
        Self::Poison(error.to_string())
    }
}

/// Reacts to an event outside of any transaction, such as by forgetting a cached value.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// One reaction of a service to some topics.
#[derive(Clone)]
pub struct Consumer {
    /// Its name, unique in the whole system, such as `stats.clicks`. Cursor and inbox go by it: a
    /// renamed consumer starts anew.
    pub name: &'static str,
    /// The topics that it wants.
    pub topics: &'static [&'static str],
    /// Who gets an event, and what happens with it.
    pub mode: Mode,
    /// How far back a listener of [`Mode::EveryReplica`] hears at its start.
    pub replay: Duration,
}

/// Who of a service's replicas gets an event.
#[derive(Clone)]
pub enum Mode {
    /// One of them, whose effects are applied exactly once.
    Group(Arc<dyn EventHandler>),
    /// Each of them, from the moment it starts, at least once.
    EveryReplica(Listener),
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let every = matches!(self.mode, Mode::EveryReplica(_));
        f.debug_struct("Consumer")
            .field("name", &self.name)
            .field("topics", &self.topics)
            .field("every_replica", &every)
            .finish()
    }
}

impl Consumer {
    /// One replica applies each event, exactly once.
    pub fn group(
        name: &'static str,
        topics: &'static [&'static str],
        handler: impl EventHandler,
    ) -> Self {
        Self {
            name,
            topics,
            mode: Mode::Group(Arc::new(handler)),
            replay: Duration::ZERO,
        }
    }

    /// Every replica hears each event.
    pub fn every_replica(
        name: &'static str,
        topics: &'static [&'static str],
        listener: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            topics,
            mode: Mode::EveryReplica(Arc::new(listener)),
            replay: Duration::ZERO,
        }
    }

    /// Lets a listener hear again, at its start, what was published within the last `replay`: for one
    /// that tends something that outlives the process, such as a shared cache, in case that all
    /// processes ended before they had told it. Hearing an event twice must do no harm.
    #[must_use]
    pub const fn hearing_again(mut self, replay: Duration) -> Self {
        self.replay = replay;
        self
    }

    /// Whether it wants events of `topic`.
    #[must_use]
    pub fn wants(&self, topic: &str) -> bool {
        self.topics.contains(&topic)
    }
}
