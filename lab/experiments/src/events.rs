//! What the system itself noted during a trial: breakers, ejections, processes that came and went.

use reports::{Mark, MarkKind};
use serde::Deserialize;

use crate::system::System;

/// The most that a trial keeps.
const EVENTS_MAX: usize = 60;

/// An event as `/system/timeline` answers it.
#[derive(Deserialize)]
struct Event {
    replica: String,
    at: i64,
    kind: String,
    text: String,
}

/// What was noted after `started_at`, in microseconds since the epoch. What the weather did is left
/// out: it is known already.
pub(crate) async fn since(system: &System, started_at: i64) -> Vec<Mark> {
    let url = system.at_admin(&format!("/system/timeline?after={started_at}"));
    let Ok(events) = system.client.get::<Vec<Event>>(&url).await else {
        return Vec::new();
    };
    let noted = events.into_iter().filter_map(|event| {
        let kind = match event.kind.as_str() {
            "fault" | "knob" | "policy" | "load" => return None,
            "start" | "restart" | "stop" => MarkKind::Process,
            _ => MarkKind::Other,
        };
        Some(Mark {
            at_s: (event.at - started_at) as f64 / 1e6,
            until_s: None,
            kind,
            text: format!("{}: {}", event.replica, event.text),
        })
    });
    noted.take(EVENTS_MAX).collect()
}
