//! Where events enter a consumer: applied once, in order within a key, or parked.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::try_join_all;
use kernel::{Code, Coded as _};
use storage::{Db, Tx};
use telemetry::{Span, SpanKind, TraceContext, Traces};
use tokio::sync::Notify;

use crate::metrics::ConsumerMeters;
use crate::options::RetryOptions;
use crate::parked::{self, Head};
use crate::{BusError, Event, EventHandler, HandlerError};

/// How many keys' events are applied at the same time.
const PARALLEL_MAX: usize = 8;
/// How many events share a transaction.
const CHUNK_MAX: usize = 64;

/// The way into one consumer.
pub(crate) struct Inlet {
    pub(crate) name: &'static str,
    pub(crate) topics: &'static [&'static str],
    pub(crate) db: Db,
    pub(crate) handler: Arc<dyn EventHandler>,
    pub(crate) retry: RetryOptions,
    pub(crate) traces: Option<Traces>,
    pub(crate) meters: ConsumerMeters,
    /// Something was parked or redriven.
    pub(crate) parked: Notify,
}

/// Why a transaction was rolled back.
enum Stop {
    /// The database failed.
    Storage(storage::Error),
    /// This event could not be applied.
    Event(usize, HandlerError),
}

impl From<storage::Error> for Stop {
    fn from(error: storage::Error) -> Self {
        Self::Storage(error)
    }
}

impl Inlet {
    /// Takes charge of all the events: when it answers `Ok`, each has been applied, now or before,
    /// or is parked. Otherwise send them again later: the database is away, or one of the events is
    /// for a newer version of this consumer, which another process may be.
    pub(crate) async fn accept(self: &Arc<Self>, events: &Arc<[Event]>) -> Result<(), BusError> {
        let mut lanes: HashMap<u64, Vec<usize>> = HashMap::new();
        for (index, event) in events.iter().enumerate() {
            if !self.topics.contains(&event.topic.as_str()) {
                return Err(BusError::UnknownTopic {
                    consumer: self.name.to_owned(),
                    topic: event.topic.clone(),
                });
            }
            let mut hasher = DefaultHasher::new();
            (&event.producer, &event.key).hash(&mut hasher);
            lanes
                .entry(hasher.finish() % PARALLEL_MAX as u64)
                .or_default()
                .push(index);
        }
        try_join_all(
            lanes
                .into_values()
                .map(|lane| self.apply_lane(events, lane)),
        )
        .await?;
        Ok(())
    }

    async fn apply_lane(
        self: &Arc<Self>,
        events: &Arc<[Event]>,
        lane: Vec<usize>,
    ) -> Result<(), storage::Error> {
        for chunk in lane.chunks(CHUNK_MAX) {
            match self.transact(events, chunk).await {
                Ok(()) => {}
                Err(Stop::Storage(error)) => return Err(error),
                // One of them failed, and took the others' effects back with it: one by one now.
                Err(Stop::Event(..)) => {
                    for &index in chunk {
                        self.apply_alone(events, index).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn apply_alone(
        self: &Arc<Self>,
        events: &Arc<[Event]>,
        index: usize,
    ) -> Result<(), storage::Error> {
        match self.transact(events, &[index]).await {
            Ok(()) => Ok(()),
            Err(Stop::Storage(error)) => Err(error),
            Err(Stop::Event(index, error)) => self.park(events, index, error).await,
        }
    }

    /// Applies the picked events in one transaction.
    async fn transact(
        self: &Arc<Self>,
        events: &Arc<[Event]>,
        picks: &[usize],
    ) -> Result<(), Stop> {
        let (inlet, shared, picks) = (Arc::clone(self), Arc::clone(events), picks.to_vec());
        let done = self
            .db
            .write(async move |tx: &mut Tx<'_>| inlet.apply(tx, &shared, &picks).await);
        match done.await {
            Ok(tally) => {
                self.meters.count(tally);
                Ok(())
            }
            // The database's own trouble passes, and says nothing about the event.
            Err(Stop::Event(_, HandlerError::Storage(error))) if passes(&error) => {
                Err(Stop::Storage(error))
            }
            Err(stop) => Err(stop),
        }
    }

    async fn apply(
        &self,
        tx: &mut Tx<'_>,
        events: &[Event],
        picks: &[usize],
    ) -> Result<Tally, Stop> {
        let mut tally = Tally::default();
        let mut fresh = Vec::with_capacity(picks.len());
        for &index in picks {
            if tx.inbox_accept(self.name, events[index].id).await? {
                fresh.push(index);
            } else {
                tally.duplicates += 1;
            }
        }
        if fresh.is_empty() {
            return Ok(tally);
        }
        // After the inbox rows: whoever parked an earlier event of these keys has committed by now.
        let scopes: Vec<String> = fresh.iter().map(|&i| parked::scope(&events[i])).collect();
        let parked = parked::parked(tx, self.name, &scopes).await?;
        for (index, scope) in fresh.into_iter().zip(scopes) {
            let event = &events[index];
            if parked.contains(&scope) && parked::park_behind(tx, self.name, event).await? {
                tally.parked += 1;
                continue;
            }
            self.handle(tx, event)
                .await
                .map_err(|error| Stop::Event(index, error))?;
            tally.applied += 1;
        }
        Ok(tally)
    }

    /// Runs the handler within the trace that the event belongs to, which is also that of the events that it
    /// publishes.
    pub(crate) async fn handle(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), HandlerError> {
        let parent = event
            .trace
            .as_deref()
            .and_then(|text| TraceContext::parse(text).ok());
        let mut span = match (&self.traces, parent) {
            (Some(traces), Some(parent)) => {
                let name = format!("{} {}", self.name, event.kind);
                traces.span(
                    name,
                    self.db.schema().to_owned(),
                    Some(parent),
                    SpanKind::Consumer,
                )
            }
            (_, parent) => Span::unsampled(parent.unwrap_or(TraceContext::NONE)),
        };
        tx.caused_by(span.context());
        let handled = self.unwound(tx, event).await;
        if let Err(error) = &handled {
            span.error(error);
        }
        handled
    }

    /// Runs the handler; a panic is a failure like any other.
    async fn unwound(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), HandlerError> {
        let handling = AssertUnwindSafe(self.handler.handle(tx, event)).catch_unwind();
        handling.await.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("?");
            Err(HandlerError::Failed(format!(
                "the handler panicked: {text}"
            )))
        })
    }

    async fn park(
        self: &Arc<Self>,
        events: &Arc<[Event]>,
        index: usize,
        error: HandlerError,
    ) -> Result<(), storage::Error> {
        let (inlet, shared) = (Arc::clone(self), Arc::clone(events));
        let (id, key) = (events[index].id, &events[index].key);
        tracing::warn!(consumer = self.name, %id, key, %error, "an event failed and is parked");
        let (text, poison) = (error.to_string(), matches!(error, HandlerError::Poison(_)));
        self.db
            .write(async move |tx: &mut Tx<'_>| {
                let event = &shared[index];
                // Not accepted: another replica has taken charge of it meanwhile.
                if tx.inbox_accept(inlet.name, event.id).await?
                    && !parked::park_behind(tx, inlet.name, event).await?
                {
                    let head = inlet.retry.head(1, poison, tx.now());
                    parked::park(tx, inlet.name, event, &text, head).await?;
                }
                Ok::<_, storage::Error>(())
            })
            .await?;
        self.meters.failures.inc();
        self.meters.parked.inc();
        self.parked.notify_one();
        Ok(())
    }
}

impl RetryOptions {
    /// What becomes of an event after `attempts`.
    pub(crate) fn head(&self, attempts: i64, poison: bool, now: kernel::Timestamp) -> Head {
        if poison || attempts >= i64::from(self.attempts_max) {
            return Head::Dead;
        }
        let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
        Head::Retry(
            now.plus(
                self.pause
                    .saturating_mul(1 << doublings)
                    .min(self.pause_max),
            ),
        )
    }
}

/// What a transaction did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) applied: u64,
    pub(crate) duplicates: u64,
    pub(crate) parked: u64,
}

/// Whether the failure is one of the database and not of the event.
pub(crate) fn passes(error: &storage::Error) -> bool {
    matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded)
}
