//! What happened when, in all processes.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use telemetry::Event;

use super::System;

/// An event, and in which process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventAt {
    pub(crate) replica: String,
    #[serde(flatten)]
    pub(crate) event: Event,
}

impl System {
    /// The events of every process that answers after the moment `after`, oldest first. Numbers
    /// are those of a process, and begin anew with it.
    pub(crate) async fn events(&self, after: Timestamp) -> Vec<EventAt> {
        let own = self.host.telemetry.timeline.since(0);
        let mut all: Vec<EventAt> = placed(&self.host.id, own).collect();
        if let Some(others) = &self.others {
            for (replica, body) in others.each(&self.host.id, "/admin/timeline").await {
                let events = body.and_then(|body| serde_json::from_slice(&body).ok());
                let events: Vec<Event> = events.unwrap_or_default();
                all.extend(placed(&replica, events));
            }
        }
        all.retain(|at| at.event.at > after);
        all.sort_by(|a, b| {
            let key = |at: &EventAt| (at.event.at, at.event.seq);
            (key(a), &a.replica).cmp(&(key(b), &b.replica))
        });
        all
    }
}

fn placed(replica: &str, events: Vec<Event>) -> impl Iterator<Item = EventAt> {
    let replica = replica.to_owned();
    events.into_iter().map(move |event| EventAt {
        replica: replica.clone(),
        event,
    })
}
