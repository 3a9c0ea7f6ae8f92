//! What happens during a trial, at its moments.

use std::time::Duration;

use faults::FaultSpec;
use reports::{Mark, MarkKind};
use tokio::time::{Instant, sleep_until};

use crate::client::patiently;
use crate::design::set_policy;
use crate::error::Result;
use crate::spec::WeatherSpec;
use crate::system::System;

/// Lets everything happen that `weather` holds, from `start` on, and answers what happened.
pub(crate) async fn pass(
    weather: &[&WeatherSpec],
    system: &System,
    start: Instant,
    seed: u64,
) -> Result<Vec<Mark>> {
    let mut events: Vec<&WeatherSpec> = weather.to_vec();
    events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    let mut marks = Vec::new();
    for event in events {
        sleep_until(start + Duration::from_secs_f64(event.at_s)).await;
        let at_s = start.elapsed().as_secs_f64();
        if let Some(fault) = &event.fault {
            marks.push(inject(fault, system, at_s, seed).await?);
        }
        for (knob, value) in &event.knobs {
            patiently(async || system.turn(knob, value.get_ref()).await).await?;
            let text = format!("{knob} = {}", value.get_ref());
            marks.push(mark(at_s, MarkKind::Knob, text));
        }
        for (edge, policy) in &event.policies {
            patiently(async || set_policy(system, edge, policy).await).await?;
            marks.push(mark(at_s, MarkKind::Policy, edge.clone()));
        }
    }
    Ok(marks)
}

async fn inject(fault: &FaultSpec, system: &System, at_s: f64, seed: u64) -> Result<Mark> {
    let mut fault = fault.clone();
    if fault.seam.is_counted() {
        // JSON keeps whole numbers up to 2^53 everywhere.
        fault.seed.get_or_insert(seed >> 11);
    }
    system.inject(&fault).await?;
    let selector = &fault.selector;
    let whom = selector.replica.as_ref().or(selector.service.as_ref());
    let whom = whom.map_or("everybody", String::as_str);
    let lasts = fault.effect.name() != "kill";
    Ok(Mark {
        until_s: lasts.then(|| at_s + fault.ttl_ms as f64 / 1e3),
        ..mark(at_s, MarkKind::Fault, format!("{whom}: {}", fault.effect))
    })
}

fn mark(at_s: f64, kind: MarkKind, text: String) -> Mark {
    Mark {
        at_s,
        until_s: None,
        kind,
        text,
    }
}
