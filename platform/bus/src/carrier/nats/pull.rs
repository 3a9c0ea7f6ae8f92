//! The consumer's side: pulls, commits, says so, and only then acknowledges.
//!
//! One replica pulls at a time, by a lease in the consumer's database: two of them would get events
//! of one key at the same time.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::Stream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use kernel::{Tasks, Timestamp};
use storage::{Position, Tx};
use tokio::time::{Instant, timeout};

use super::names::{Names, durable};
use super::{ACK_WAIT, Nats, PREVIOUS, Piece};
use crate::Event;
use crate::inlet::Inlet;
use crate::options::BusOptions;

const BATCH_MAX: usize = 256;
const LOOK_EVERY: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Pulls from one producer to one consumer of this process.
pub(crate) struct Puller {
    pub(crate) nats: Nats,
    pub(crate) producer: String,
    pub(crate) inlet: Arc<Inlet>,
    pub(crate) holder: String,
    pub(crate) options: BusOptions,
    pub(crate) tasks: Tasks,
}

/// One stretch of pulling from one incarnation.
struct Session {
    names: Names,
    stream: Stream,
    incarnation: i128,
    messages: pull::Stream,
    /// What was committed since the session began, in one piece.
    piece: Option<Piece>,
    looked: Instant,
}

/// Why a session ended.
struct Ended(String);

impl<E: std::error::Error> From<E> for Ended {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Puller {
    /// Runs until the tasks end.
    pub(crate) async fn run(self) {
        let mut until = Timestamp(0);
        while !self.tasks.is_stopping() {
            if !self.leads(&mut until).await {
                self.pause(self.options.lease / 4).await;
                continue;
            }
            let worked = async {
                let mut session = self.open().await?;
                self.work(&mut session, &mut until).await
            };
            tokio::select! {
                ended = worked => if let Err(Ended(why)) = ended {
                    let (producer, consumer) = (&self.producer, self.inlet.name);
                    tracing::debug!(producer, consumer, why, "pulling from nats begins anew");
                },
                () = self.tasks.stopping() => return,
            }
            self.pause(PAUSE).await;
        }
    }

    async fn pause(&self, how_long: Duration) {
        tokio::select! {
            () = tokio::time::sleep(how_long) => {}
            () = self.tasks.stopping() => {}
        }
    }

    /// Takes or renews the lease when a quarter of it has gone. False: another replica has it.
    async fn leads(&self, until: &mut Timestamp) -> bool {
        let db = &self.inlet.db;
        if until.since(db.ctx().now()) > self.options.lease * 3 / 4 {
            return true;
        }
        let name = format!("bus.pull.{}.{}", self.producer, self.inlet.name);
        let (holder, ttl) = (self.holder.clone(), self.options.lease);
        let claim = async move |tx: &mut Tx<'_>| tx.claim_lease(&name, &holder, ttl).await;
        match db.write::<_, storage::Error, _>(claim).await {
            Ok(Some(lease)) => *until = lease.until,
            Ok(None) => *until = Timestamp(0),
            // What is held lasts until it runs out.
            Err(error) => {
                tracing::warn!(consumer = self.inlet.name, %error, "cannot claim a lease")
            }
        }
        db.ctx().now() < *until
    }

    async fn open(&self) -> Result<Session, Ended> {
        let names = self.nats.names(&self.producer, self.inlet.name);
        let stream = self.nats.jetstream.get_stream(&names.stream).await?;
        let incarnation = stream.cached_info().created.unix_timestamp_nanos();
        let name = durable(incarnation);
        // One that was made when the stream was about to be replaced: a work queue has room for one.
        let mut names_there = stream.consumer_names();
        while let Some(other) = names_there.try_next().await? {
            if other != name {
                stream.delete_consumer(&other).await?;
            }
        }
        // What another replica was given and did not acknowledge would come after what is new:
        // a consumer made anew gives everything from the first that is not acknowledged, in order.
        if stream
            .consumer_info(&name)
            .await
            .is_ok_and(|c| c.num_ack_pending > 0)
        {
            stream.delete_consumer(&name).await?;
        }
        let config = pull::Config {
            durable_name: Some(name.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(self.options.window_max).unwrap_or(i64::MAX),
            ..pull::Config::default()
        };
        let consumer: PullConsumer = stream.get_or_create_consumer(&name, config).await?;
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
            piece: None,
            looked: Instant::now(),
        })
    }

    async fn work(&self, session: &mut Session, until: &mut Timestamp) -> Result<(), Ended> {
        while self.leads(until).await {
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
            self.take(session, batch, until).await?;
        }
        Ok(())
    }

    /// Commits, says so, acknowledges.
    async fn take(
        &self,
        session: &mut Session,
        batch: Vec<Message>,
        until: &mut Timestamp,
    ) -> Result<(), Ended> {
        let mut events = Vec::with_capacity(batch.len());
        for message in &batch {
            match (Event::from_cloud_event(&message.payload), previous(message)) {
                (Ok(event), Some(previous)) => events.push((previous, event)),
                // Not of our making: out of the way with it.
                _ => {
                    tracing::warn!(subject = %message.subject, "no event of ours; dropped");
                    let _ = message.ack_with(AckKind::Term).await;
                }
            }
        }
        let chain: Vec<_> = events
            .iter()
            .map(|(prev, event)| (*prev, event.position()))
            .collect();
        let events: Arc<[Event]> = events.into_iter().map(|(_, event)| event).collect();
        let mut pause = PAUSE;
        while let Err(error) = self.inlet.accept(&events).await {
            tracing::warn!(consumer = self.inlet.name, %error, "cannot apply events; trying again");
            self.pause(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
            if !self.leads(until).await || self.tasks.is_stopping() {
                return Ok(());
            }
        }
        for (after, at) in chain {
            if session.joins(after, at) {
                continue;
            }
            // Something is missing in between. Say so at once: the relay will begin anew.
            self.confirm(session).await?;
        }
        self.confirm(session).await?;
        for message in &batch {
            message.ack().await.map_err(|e| Ended(e.to_string()))?;
        }
        Ok(())
    }

    async fn confirm(&self, session: &Session) -> Result<(), Ended> {
        let Some(piece) = &session.piece else {
            return Ok(());
        };
        let text = serde_json::to_vec(piece)?;
        self.nats
            .client
            .publish(session.names.confirm.clone(), text.into())
            .await?;
        Ok(())
    }
}

impl Session {
    /// Adds an event to the piece. False: it does not join; a new piece begins with it.
    fn joins(&mut self, after: Position, at: Position) -> bool {
        let incarnation = self.incarnation;
        match &mut self.piece {
            // It came again.
            Some(piece) if at.0 <= piece.upto => true,
            Some(piece) if after.0 <= piece.upto => {
                piece.upto = at.0;
                true
            }
            piece => {
                let joins = piece.is_none();
                *piece = Some(Piece {
                    incarnation,
                    after: after.0,
                    upto: at.0,
                });
                joins
            }
        }
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
