//! What is told of a change, and how the service reacts to what it hears.

use bus::{Consumer, Event, EventHandler, HandlerError};
use contracts::__name__::{TOPIC_CHANGED, __Item__};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use storage::{OutboxEvent, Tx};

use crate::store;

/// The event that tells of a new one.
pub(crate) fn changed(made: &__Item__) -> OutboxEvent {
    OutboxEvent {
        topic: TOPIC_CHANGED.to_owned(),
        key: made.id.to_string(),
        kind: "__item___created".to_owned(),
        payload: serde_json::to_vec(made).expect("a struct of texts and numbers is JSON"),
    }
}

const TALLY: &str = "__name__.tally";

/// The consumers in groups and their topics, for those who relay events to them.
pub const CONSUMERS: &[(&str, &[&str])] = &[(TALLY, &[TOPIC_CHANGED])];

/// What the service hears: one replica counts each event, exactly once.
pub(crate) fn consumers() -> Vec<Consumer> {
    vec![Consumer::group(TALLY, &[TOPIC_CHANGED], Tally)]
}

struct Tally;

impl EventHandler for Tally {
    fn handle<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        event: &'a Event,
    ) -> LocalBoxFuture<'a, Result<(), HandlerError>> {
        async move {
            let _made: __Item__ = event.json()?;
            Ok(store::tally(tx).await?)
        }
        .boxed_local()
    }
}
