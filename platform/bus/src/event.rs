//! An event as consumers see it, and as it travels: CloudEvents 1.0 in JSON.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kernel::{Id, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use storage::{OutboxRow, Position};

/// Something that happened, once and for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id; the same however often it is carried.
    pub id: Id,
    /// What consumers subscribe to, such as `links`.
    pub topic: String,
    /// Events of one producer with the same key are applied in order.
    pub key: String,
    /// What happened, such as `link_created`.
    pub kind: String,
    /// The event itself, as JSON.
    pub payload: Vec<u8>,
    /// When it was published.
    pub at: Timestamp,
    /// The `traceparent` of the request that caused it.
    pub trace: Option<String>,
    /// The service whose outbox it stands in.
    pub producer: String,
    /// Where it stands there; grows along the order of commits.
    pub seq: i64,
}

/// The text is not an event of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read it as a CloudEvents 1.0 event in JSON: {reason}")]
pub struct EventError {
    /// What is wrong with it.
    pub reason: String,
}

impl EventError {
    fn new(reason: impl std::fmt::Display) -> Self {
        Self {
            reason: reason.to_string(),
        }
    }
}

/// The envelope on the wire. `topic`, `sequence` and `traceparent` are extension attributes.
#[derive(Serialize, Deserialize)]
struct Envelope {
    specversion: String,
    id: Id,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    topic: String,
    /// Text, because attributes of CloudEvents know no 64-bit numbers.
    sequence: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    traceparent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    datacontenttype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    data_base64: Option<String>,
}

impl Event {
    /// The event in a row of `producer`'s outbox.
    #[must_use]
    pub fn of_row(producer: &str, row: OutboxRow) -> Self {
        Self {
            id: row.id,
            topic: row.topic,
            key: row.key,
            kind: row.kind,
            payload: row.payload,
            at: row.at,
            trace: row.trace,
            producer: producer.to_owned(),
            seq: row.position.0,
        }
    }

    /// Where it stands in its producer's outbox.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position(self.seq)
    }

    /// The payload as `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, EventError> {
        serde_json::from_slice(&self.payload).map_err(EventError::new)
    }

    /// The event as one CloudEvents JSON object.
    #[must_use]
    pub fn to_cloud_event(&self) -> Vec<u8> {
        serde_json::to_vec(&self.envelope()).expect("an envelope has string keys only")
    }

    /// The event in a CloudEvents JSON object.
    pub fn from_cloud_event(text: &[u8]) -> Result<Self, EventError> {
        serde_json::from_slice::<Envelope>(text)
            .map_err(EventError::new)?
            .open()
    }

    /// Several events as a CloudEvents JSON batch.
    #[must_use]
    pub fn to_batch(events: &[Self]) -> Vec<u8> {
        let envelopes: Vec<Envelope> = events.iter().map(Self::envelope).collect();
        serde_json::to_vec(&envelopes).expect("an envelope has string keys only")
    }

    /// The events in a CloudEvents JSON batch.
    pub fn from_batch(text: &[u8]) -> Result<Vec<Self>, EventError> {
        let envelopes: Vec<Envelope> = serde_json::from_slice(text).map_err(EventError::new)?;
        envelopes.into_iter().map(Envelope::open).collect()
    }

    fn envelope(&self) -> Envelope {
        let json = std::str::from_utf8(&self.payload).ok();
        let data = json.and_then(|text| RawValue::from_string(text.to_owned()).ok());
        let is_json = data.is_some();
        Envelope {
            specversion: "1.0".to_owned(),
            id: self.id,
            source: format!("/{}", self.producer),
            kind: self.kind.clone(),
            subject: self.key.clone(),
            time: jiff::Timestamp::from_microsecond(self.at.micros())
                .unwrap_or_default()
                .to_string(),
            topic: self.topic.clone(),
            sequence: self.seq.to_string(),
            traceparent: self.trace.clone(),
            datacontenttype: is_json.then(|| "application/json".to_owned()),
            data,
            data_base64: (!is_json).then(|| STANDARD.encode(&self.payload)),
        }
    }
}

impl Envelope {
    fn open(self) -> Result<Event, EventError> {
        if self.specversion != "1.0" {
            let version = self.specversion;
            return Err(EventError::new(format!(
                "specversion is '{version}', not '1.0'"
            )));
        }
        let payload = match (self.data, self.data_base64) {
            (Some(data), _) => data.get().as_bytes().to_vec(),
            (None, Some(text)) => STANDARD.decode(text).map_err(EventError::new)?,
            (None, None) => Vec::new(),
        };
        let time: jiff::Timestamp = self.time.parse().map_err(EventError::new)?;
        Ok(Event {
            id: self.id,
            topic: self.topic,
            key: self.subject,
            kind: self.kind,
            payload,
            at: Timestamp(time.as_microsecond()),
            trace: self.traceparent,
            producer: self.source.trim_start_matches('/').to_owned(),
            seq: self.sequence.parse().map_err(EventError::new)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            id: Id::from_u128(7),
            topic: "links".to_owned(),
            key: "abc".to_owned(),
            kind: "link_created".to_owned(),
            payload: br#"{"n":12345678901234567890.5}"#.to_vec(),
            at: Timestamp(1_700_000_000_123_456),
            trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            producer: "links".to_owned(),
            seq: 42,
        }
    }

    #[test]
    fn an_event_comes_back_from_the_wire_to_the_byte() {
        let first = event();
        let second = Event {
            payload: vec![0xff, 0x00],
            trace: None,
            ..event()
        };
        let batch = Event::to_batch(&[first.clone(), second.clone()]);
        assert_eq!(Event::from_batch(&batch), Ok(vec![first.clone(), second]));
        assert_eq!(Event::from_cloud_event(&first.to_cloud_event()), Ok(first));
    }

    #[test]
    fn the_envelope_has_the_attributes_that_cloudevents_requires() {
        let json: serde_json::Value =
            serde_json::from_slice(&event().to_cloud_event()).expect("JSON");
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["source"], "/links");
        assert_eq!(json["type"], "link_created");
        assert_eq!(json["id"], "00000000000000000000000007");
        assert_eq!(json["time"], "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for bad in ["", "{}", "[]", r#"{"specversion":"0.3"}"#] {
            assert!(Event::from_cloud_event(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
