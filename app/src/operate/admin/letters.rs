//! Events that a consumer could not apply, and their second chance.

use bus::DeadLetter;
use http::StatusCode;
use kernel::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Admin, Answer, Query, problem};
use crate::shell::bodies::json;

const LETTERS_MAX: u32 = 200;

/// A dead letter to try again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redrive {
    consumer: String,
    /// All of the consumer's when absent.
    event_id: Option<Id>,
}

/// A dead letter as it is shown.
#[derive(Serialize)]
struct Letter {
    /// The event, as a CloudEvent.
    event: Option<Box<RawValue>>,
    error: String,
    attempts: i64,
    parked_at: Timestamp,
    behind: i64,
}

impl Admin {
    /// `?consumer=` for one consumer's; without it, how to ask.
    pub(super) async fn dead_letters(&self, query: &Query) -> Answer {
        let bus = &self.host.bus;
        let Some(consumer) = query.get("consumer") else {
            return Ok(json(
                StatusCode::OK,
                &serde_json::json!({ "consumers": bus.consumers() }),
            ));
        };
        let letters = bus
            .dead_letters(consumer, None, LETTERS_MAX)
            .await
            .map_err(problem)?;
        Ok(json(
            StatusCode::OK,
            &letters.iter().map(shown).collect::<Vec<_>>(),
        ))
    }

    pub(super) async fn redrive(&self, ask: Redrive) -> Answer {
        let Redrive { consumer, event_id } = ask;
        let redriven = match event_id {
            Some(id) => self.host.bus.redrive(&consumer, id).await.map(|()| 1),
            None => self.host.bus.redrive_all(&consumer).await,
        };
        let redriven = redriven.map_err(problem)?;
        Ok(json(
            StatusCode::OK,
            &serde_json::json!({ "redriven": redriven }),
        ))
    }
}

fn shown(letter: &DeadLetter) -> Letter {
    let text = String::from_utf8(letter.event.to_cloud_event()).unwrap_or_default();
    Letter {
        event: RawValue::from_string(text).ok(),
        error: letter.error.clone(),
        attempts: letter.attempts,
        parked_at: letter.parked_at,
        behind: letter.behind,
    }
}
