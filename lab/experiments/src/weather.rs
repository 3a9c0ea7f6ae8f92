//! What happens during a trial, at its moments.

use std::time::Duration;

use reports::{Mark, MarkKind};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

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
            system.turn(knob, value.get_ref()).await?;
            let text = format!("{knob} = {}", value.get_ref());
            marks.push(mark(at_s, MarkKind::Knob, text));
        }
        for (edge, policy) in &event.policies {
            set_policy(system, edge, policy).await?;
            marks.push(mark(at_s, MarkKind::Policy, edge.clone()));
        }
    }
    Ok(marks)
}

async fn inject(fault: &toml::Value, system: &System, at_s: f64, seed: u64) -> Result<Mark> {
    let mut body = serde_json::to_value(fault).unwrap_or(Value::Null);
    if let Some(fields) = body.as_object_mut() {
        // JSON keeps whole numbers up to 2^53 everywhere.
        fields.entry("seed").or_insert(Value::from(seed >> 11));
    }
    let _: Value = system.post("/system/faults", &body).await?;
    let of = |name: &str| body.get(name).map(text).unwrap_or_default();
    let ttl_s = body.get("ttl_ms").and_then(Value::as_f64).unwrap_or(0.0) / 1e3;
    let words = [of("replica"), of("service"), of("effect"), of("kind")];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    Ok(Mark {
        until_s: Some(at_s + ttl_s),
        ..mark(at_s, MarkKind::Fault, words.join(" "))
    })
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn mark(at_s: f64, kind: MarkKind, text: String) -> Mark {
    Mark {
        at_s,
        until_s: None,
        kind,
        text,
    }
}
