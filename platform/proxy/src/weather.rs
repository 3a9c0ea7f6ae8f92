//! What the faults of the moment do to one connection.

use std::collections::BTreeMap;
use std::time::Duration;

use faults::{Effect, Faults, Hit, Seam};
use parking_lot::Mutex;

/// What was decided about one connection, by fault: struck, or spared for good.
#[derive(Default)]
pub(crate) struct Decisions(Mutex<BTreeMap<String, Option<Hit>>>);

/// What happens to a connection now.
#[derive(Default)]
pub(crate) struct Weather {
    latencies: Vec<Hit>,
    /// The narrowest.
    pub(crate) bytes_per_s: Option<u64>,
    pub(crate) reset: bool,
    pub(crate) half_open: bool,
    pub(crate) black_hole: bool,
}

impl Decisions {
    /// The weather now. Each fault decides once about a connection, which is one hit.
    pub(crate) fn weather(&self, faults: &Faults) -> Weather {
        let mut weather = Weather::default();
        if !faults.any(Seam::Socket) {
            return weather;
        }
        let leases = faults.at_work(Seam::Socket);
        let mut decided = self.0.lock();
        decided.retain(|id, _| leases.iter().any(|lease| lease.id() == id));
        for lease in &leases {
            if !decided.contains_key(lease.id()) {
                decided.insert(lease.id().to_owned(), faults.strike(lease));
            }
            let Some(Some(hit)) = decided.get(lease.id()) else {
                continue;
            };
            match hit.effect() {
                Effect::Latency(_) => weather.latencies.push(hit.clone()),
                Effect::Bandwidth { bytes_per_s } => {
                    let narrowest = weather.bytes_per_s.unwrap_or(u64::MAX).min(bytes_per_s);
                    weather.bytes_per_s = Some(narrowest);
                }
                Effect::Reset => weather.reset = true,
                Effect::HalfOpen => weather.half_open = true,
                Effect::BlackHole => weather.black_hole = true,
                _ => {}
            }
        }
        weather
    }
}

impl Weather {
    /// How long a chunk is to be held up, drawn anew, and never beyond the end of a lease.
    pub(crate) fn delay(&self) -> Duration {
        let waits = self.latencies.iter().map(|hit| hit.draw().min(hit.left()));
        waits.sum()
    }

    /// Whether anything is late.
    pub(crate) fn is_slow(&self) -> bool {
        !self.latencies.is_empty()
    }
}
