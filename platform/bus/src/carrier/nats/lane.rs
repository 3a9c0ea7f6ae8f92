//! The relay's side: publishes an incarnation of the stream and hears what was committed.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, Stream};
use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _};
use storage::Position;
use tokio::time::Instant;

use super::names::Names;
use super::{Nats, PREVIOUS, Piece};
use crate::Event;
use crate::carrier::{Carrier, CarrierError, Confirmed};

/// How often the stream is looked at while it holds events.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// When everything is acknowledged and nothing confirmed for so long, the confirmation was lost.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// A lane through NATS.
pub(crate) struct NatsLane {
    nats: Nats,
    names: Names,
    current: Option<Incarnation>,
}

/// What the relay knows of the stream that it has made.
struct Incarnation {
    id: i128,
    stream: Stream,
    pieces: Subscriber,
    /// The position of the last event published, and its number in the stream.
    last: Position,
    last_number: u64,
    confirmed: Position,
    looked: Instant,
    heard: Instant,
}

impl NatsLane {
    pub(crate) fn new(nats: Nats, producer: &str, consumer: &str) -> Self {
        let names = nats.names(producer, consumer);
        Self {
            nats,
            names,
            current: None,
        }
    }
}

fn unavailable(what: &str, error: &dyn std::fmt::Display) -> CarrierError {
    CarrierError::Unavailable(format!("nats did not {what}: {error}"))
}

#[async_trait]
impl Carrier for NatsLane {
    async fn begin(&mut self, from: Position) -> Result<(), CarrierError> {
        self.current = None;
        let pieces = self.nats.client.subscribe(self.names.confirm.clone()).await;
        let pieces = pieces.map_err(|e| unavailable("subscribe", &e))?;
        // What an earlier incarnation holds is void: it is not confirmed, so it is sent again.
        let _ = self.nats.jetstream.delete_stream(&self.names.stream).await;
        let config = Config {
            name: self.names.stream.clone(),
            description: Some(
                "carries an outbox to one consumer; can be deleted at any time".into(),
            ),
            subjects: vec![self.names.subjects()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_bytes: self.nats.options.stream_bytes_max,
            ..Config::default()
        };
        let made = self.nats.jetstream.create_stream(config).await;
        let stream = made.map_err(|e| unavailable("make the stream", &e))?;
        let (id, now) = (
            stream.cached_info().created.unix_timestamp_nanos(),
            Instant::now(),
        );
        self.current = Some(Incarnation {
            id,
            stream,
            pieces,
            last: from,
            last_number: 0,
            confirmed: from,
            looked: now,
            heard: now,
        });
        Ok(())
    }

    async fn send(&mut self, events: &Arc<[Event]>) -> Result<(), CarrierError> {
        let Some(current) = &mut self.current else {
            return Err(not_begun());
        };
        let mut on_the_way = Vec::with_capacity(events.len());
        for event in events.iter() {
            // NATS refuses it if the stream is another one, or has lost its end.
            let message = PublishMessage::build()
                .message_id(event.id.to_string())
                .expected_stream(&self.names.stream)
                .expected_last_sequence(current.last_number)
                .header("content-type", "application/cloudevents+json")
                .header(PREVIOUS, current.last.0.to_string().as_str())
                .payload(event.to_cloud_event().into());
            let subject = self.names.subject(&event.topic);
            let sent = self.nats.jetstream.send_publish(subject, message).await;
            on_the_way.push(sent.map_err(|e| unavailable("take an event", &e))?);
            current.last = event.position();
            current.last_number += 1;
        }
        for acknowledged in on_the_way {
            acknowledged
                .await
                .map_err(|e| unavailable("keep an event", &e))?;
        }
        current.heard = Instant::now();
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Confirmed, CarrierError> {
        let Some(current) = &mut self.current else {
            return Err(not_begun());
        };
        let before = current.confirmed;
        current.hear()?;
        if current.confirmed == current.last {
            return Ok(Confirmed::All);
        }
        current.look().await?;
        Ok(match current.confirmed {
            same if same == before => Confirmed::Unknown,
            moved => Confirmed::UpTo(moved),
        })
    }
}

fn not_begun() -> CarrierError {
    CarrierError::Unavailable("the stream has not been made".to_owned())
}

impl Incarnation {
    /// Takes in what the consumer says it has committed.
    fn hear(&mut self) -> Result<(), CarrierError> {
        while let Some(message) = self.pieces.next().now_or_never() {
            let Some(message) = message else {
                return Err(CarrierError::Unavailable(
                    "the subscription to nats ended".to_owned(),
                ));
            };
            let Ok(piece) = serde_json::from_slice::<Piece>(&message.payload) else {
                continue;
            };
            if piece.incarnation != self.id {
                continue;
            }
            if piece.after > self.confirmed.0 {
                let (from, to) = (self.confirmed.0, piece.after);
                return Err(CarrierError::Lost(format!(
                    "nats lost what stands from {from} to {to}"
                )));
            }
            self.heard = Instant::now();
            self.confirmed = self.confirmed.max(Position(piece.upto)).min(self.last);
        }
        Ok(())
    }

    /// Looks, now and then, whether the stream is still the one that was filled.
    async fn look(&mut self) -> Result<(), CarrierError> {
        if self.looked.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        self.looked = Instant::now();
        let info = self
            .stream
            .get_info()
            .await
            .map_err(|e| unavailable("show the stream", &e))?;
        if info.created.unix_timestamp_nanos() != self.id {
            return Err(CarrierError::Lost(
                "the stream in nats is another one".to_owned(),
            ));
        }
        if info.state.last_sequence < self.last_number {
            return Err(CarrierError::Lost(
                "the stream in nats has lost its end".to_owned(),
            ));
        }
        // What is acknowledged is not kept.
        if info.state.messages == 0 && self.heard.elapsed() > SILENCE_MAX {
            return Err(CarrierError::Lost(
                "nats holds nothing and nothing is confirmed".to_owned(),
            ));
        }
        Ok(())
    }
}
