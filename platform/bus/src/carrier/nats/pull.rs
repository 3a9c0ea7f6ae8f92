//! The consumer's side: pulls, commits, says so, and only then acknowledges.
//!
//! One replica pulls at a time, by a lease in the consumer's database: two of them would get events
//! of one key at the same time. What comes is applied only where it goes on from what was applied:
//! a connection that breaks takes along what NATS has handed over, and NATS goes on after it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::Stream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use kernel::Tasks;
use storage::Position;
use telemetry::Gauge;
use tokio::time::{Instant, timeout};

use super::names::Names;
use super::{ACK_WAIT, Nats, PREVIOUS, Piece};
use crate::Event;
use crate::held::Held;
use crate::inlet::Inlet;
use crate::options::BusOptions;

const BATCH_MAX: usize = 256;
const LOOK_EVERY: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Where events are pulled from, where to, and by whom.
pub(crate) struct Wanted {
    pub(crate) nats: Nats,
    pub(crate) producer: String,
    pub(crate) inlet: Arc<Inlet>,
    pub(crate) holder: String,
    pub(crate) options: BusOptions,
    pub(crate) tasks: Tasks,
    /// Whether this process pulls.
    pub(crate) leads: Gauge,
}

/// Pulls from one producer to one consumer of this process.
pub(crate) struct Puller {
    wanted: Wanted,
    held: Option<Held>,
    /// What was committed since this process leads, in one piece of one incarnation.
    piece: Option<Piece>,
}

/// One stretch of pulling from one incarnation, by a durable consumer of its own.
struct Session {
    names: Names,
    stream: Stream,
    incarnation: i128,
    messages: pull::Stream,
    /// How many deliveries have come, which NATS counts too.
    delivered: u64,
    looked: Instant,
}

/// The beginning of a batch that goes on from what was applied.
struct Fitting {
    events: Vec<Event>,
    /// How many messages it is.
    messages: usize,
    piece: Option<Piece>,
    /// Why the rest does not go on from there.
    gap: Option<Gap>,
}

/// What is missing before a message.
#[derive(Debug, Clone, Copy)]
enum Gap {
    /// Something was handed over and has not arrived; it comes again to a new durable consumer.
    OnTheWay,
    /// Everything was handed over, and what stands before this position is not in NATS any more.
    Lost(Position),
}

/// Why a session ended.
struct Ended(String);

impl<E: std::error::Error> From<E> for Ended {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Puller {
    pub(crate) const fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            held: None,
            piece: None,
        }
    }

    /// Runs until the tasks end.
    pub(crate) async fn run(mut self) {
        let tasks = self.wanted.tasks.clone();
        while !tasks.is_stopping() {
            if !self.leads().await {
                self.pause(self.wanted.options.lease / 4).await;
                continue;
            }
            let worked = async {
                let mut session = self.open().await?;
                self.work(&mut session).await
            };
            tokio::select! {
                ended = worked => if let Err(Ended(why)) = ended {
                    let (producer, consumer) = (&self.wanted.producer, self.wanted.inlet.name);
                    tracing::debug!(producer, consumer, why, "pulling from nats begins anew");
                },
                () = tasks.stopping() => {}
            }
            self.pause(PAUSE).await;
        }
        self.wanted.leads.set(0);
    }

    async fn pause(&self, how_long: Duration) {
        tokio::select! {
            () = tokio::time::sleep(how_long) => {}
            () = self.wanted.tasks.stopping() => {}
        }
    }

    /// Takes or renews the lease when a quarter of it has gone. False: another replica has it.
    async fn leads(&mut self) -> bool {
        let Wanted {
            inlet,
            producer,
            holder,
            options,
            ..
        } = &self.wanted;
        let left = |held: &Option<Held>| {
            let now = inlet.db.ctx().now();
            held.as_ref().map_or(Duration::ZERO, |h| h.left(now))
        };
        if left(&self.held) > options.lease * 3 / 4 {
            return true;
        }
        let name = format!("bus.pull.{producer}.{}", inlet.name);
        match Held::claim(&inlet.db, &name, holder, options.lease).await {
            Ok(held) => {
                let fence = |held: &Option<Held>| held.as_ref().map(|h| h.lease.fence);
                if fence(&held) != fence(&self.held) {
                    // Another one may have gone on meanwhile.
                    self.piece = None;
                }
                self.held = held;
            }
            // What is held lasts until it runs out.
            Err(error) => tracing::warn!(consumer = inlet.name, %error, "cannot claim a lease"),
        }
        let leads = left(&self.held) > Duration::ZERO;
        self.wanted.leads.set(i64::from(leads));
        leads
    }

    /// Begins with the first event that is not acknowledged.
    ///
    /// The durable consumer is a new one each time. Another one was perhaps handed events that never
    /// arrived, or still hands them to a replica that led before; and a late acknowledgement, which
    /// NATS takes by name and number alone, acknowledges nothing.
    async fn open(&self) -> Result<Session, Ended> {
        let Wanted {
            nats,
            producer,
            inlet,
            options,
            ..
        } = &self.wanted;
        let names = nats.names(producer, inlet.name);
        let stream = nats.jetstream.get_stream(&names.stream).await?;
        let incarnation = stream.cached_info().created.unix_timestamp_nanos();
        let mut names_there = stream.consumer_names();
        while let Some(other) = names_there.try_next().await? {
            stream.delete_consumer(&other).await?;
        }
        let config = pull::Config {
            durable_name: Some(format!("inbox-{}", inlet.db.ctx().new_id())),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(options.window_max).unwrap_or(i64::MAX),
            ..pull::Config::default()
        };
        let consumer: PullConsumer = stream.create_consumer(config).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH_MAX * 2)
            .expires(Duration::from_secs(5))
            .heartbeat(Duration::from_secs(1))
            .messages()
            .await?;
        Ok(Session {
            names,
            stream,
            incarnation,
            messages,
            delivered: 0,
            looked: Instant::now(),
        })
    }

    async fn work(&mut self, session: &mut Session) -> Result<(), Ended> {
        while self.leads().await {
            if session.looked.elapsed() > LOOK_EVERY {
                session.look().await?;
                self.confirm(session).await?;
            }
            let mut batch: Vec<Message> = Vec::new();
            match timeout(LOOK_EVERY, session.messages.next()).await {
                Err(_) => continue,
                Ok(None) => return Ok(()),
                Ok(Some(message)) => batch.push(message?),
            }
            while batch.len() < BATCH_MAX
                && let Ok(Some(message)) = timeout(Duration::ZERO, session.messages.next()).await
            {
                batch.push(message?);
            }
            self.take(session, batch).await?;
        }
        Ok(())
    }

    /// Commits what goes on from before, says so, acknowledges.
    async fn take(&mut self, session: &mut Session, batch: Vec<Message>) -> Result<(), Ended> {
        let Fitting {
            events,
            messages,
            piece,
            gap,
        } = session.fitting(self.piece, &batch).await;
        self.apply(events).await?;
        self.piece = piece;
        self.confirm(session).await?;
        for message in &batch[..messages] {
            message.ack().await.map_err(|e| Ended(e.to_string()))?;
        }
        match gap {
            None => Ok(()),
            Some(Gap::OnTheWay) => Err(Ended("some events got lost on the way".to_owned())),
            Some(Gap::Lost(before)) => {
                // A piece that does not join the others: the relay will begin anew.
                let lost = Piece {
                    incarnation: session.incarnation,
                    after: before.0,
                    upto: before.0,
                };
                self.say(session, &lost).await?;
                Err(Ended("nats has lost some events".to_owned()))
            }
        }
    }

    /// Applies events for as long as this process leads.
    async fn apply(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        let events: Arc<[Event]> = events.into();
        let mut pause = PAUSE;
        loop {
            // Asked anew: this process may have stood still since the events came.
            if !self.leads().await || self.wanted.tasks.is_stopping() {
                return Err(Ended("another replica pulls".to_owned()));
            }
            let Err(error) = self.wanted.inlet.accept(&events).await else {
                return Ok(());
            };
            let consumer = self.wanted.inlet.name;
            tracing::warn!(consumer, %error, "cannot apply events; trying again");
            self.pause(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn confirm(&self, session: &Session) -> Result<(), Ended> {
        match &self.piece {
            Some(piece) if piece.incarnation == session.incarnation => {
                self.say(session, piece).await
            }
            _ => Ok(()),
        }
    }

    async fn say(&self, session: &Session, piece: &Piece) -> Result<(), Ended> {
        let text = serde_json::to_vec(piece)?;
        let client = &self.wanted.nats.client;
        client
            .publish(session.names.confirm.clone(), text.into())
            .await?;
        Ok(())
    }
}

impl Session {
    /// Cuts a batch before the first message that does not go on from `piece`.
    async fn fitting(&mut self, piece: Option<Piece>, batch: &[Message]) -> Fitting {
        let mut fitting = Fitting {
            events: Vec::with_capacity(batch.len()),
            messages: 0,
            piece: piece.filter(|piece| piece.incarnation == self.incarnation),
            gap: None,
        };
        for message in batch {
            if message
                .info()
                .is_ok_and(|info| info.consumer_sequence != self.delivered + 1)
            {
                fitting.gap = Some(Gap::OnTheWay);
                break;
            }
            match (Event::from_cloud_event(&message.payload), previous(message)) {
                (Ok(event), Some(after)) => {
                    if !self.joins(&mut fitting.piece, after, event.position()) {
                        fitting.gap = Some(Gap::Lost(after));
                        break;
                    }
                    fitting.events.push(event);
                }
                // Not of our making: out of the way with it.
                _ => {
                    tracing::warn!(subject = %message.subject, "no event of ours; dropped");
                    let _ = message.ack_with(AckKind::Term).await;
                }
            }
            self.delivered += 1;
            fitting.messages += 1;
        }
        fitting
    }

    /// Adds an event to the piece, which begins with the first one. False: it does not join.
    const fn joins(&self, piece: &mut Option<Piece>, after: Position, at: Position) -> bool {
        match piece {
            // It came again.
            Some(piece) if at.0 <= piece.upto => {}
            Some(piece) if after.0 <= piece.upto => piece.upto = at.0,
            Some(_) => return false,
            None => {
                *piece = Some(Piece {
                    incarnation: self.incarnation,
                    after: after.0,
                    upto: at.0,
                });
            }
        }
        true
    }

    async fn look(&mut self) -> Result<(), Ended> {
        self.looked = Instant::now();
        let info = self.stream.get_info().await?;
        if info.created.unix_timestamp_nanos() == self.incarnation {
            return Ok(());
        }
        Err(Ended("the stream was made anew".to_owned()))
    }
}

fn previous(message: &Message) -> Option<Position> {
    let value = message.headers.as_ref()?.get(PREVIOUS)?;
    value.as_str().parse().ok().map(Position)
}
