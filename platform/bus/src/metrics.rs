//! What the bus counts.

use telemetry::{Counter, Gauge, Metrics};

use crate::inlet::Tally;

/// What a consumer counts.
#[derive(Clone)]
pub(crate) struct ConsumerMeters {
    applied: Counter,
    duplicates: Counter,
    pub(crate) parked: Counter,
    pub(crate) failures: Counter,
    pub(crate) dead: Gauge,
}

impl ConsumerMeters {
    pub(crate) fn new(consumer: &'static str, metrics: &Metrics) -> Self {
        let label = &[("consumer", consumer)];
        Self {
            applied: metrics.counter("bus_applied_total", "Events applied.", label),
            duplicates: metrics.counter(
                "bus_duplicates_total",
                "Events that came again and were dropped by the inbox.",
                label,
            ),
            parked: metrics.counter("bus_parked_total", "Events parked.", label),
            failures: metrics.counter("bus_failures_total", "Attempts that failed.", label),
            dead: metrics.gauge("bus_dead_letters", "Events that wait for a person.", label),
        }
    }

    pub(crate) fn count(&self, tally: Tally) {
        self.applied.add(tally.applied);
        self.duplicates.add(tally.duplicates);
        self.parked.add(tally.parked);
    }
}

/// What a lane of the relay counts.
#[derive(Clone)]
pub(crate) struct LaneMeters {
    pub(crate) carried: Counter,
    pub(crate) failures: Counter,
    pub(crate) replays: Counter,
    pub(crate) lag_events: Gauge,
    pub(crate) lag_ms: Gauge,
}

impl LaneMeters {
    pub(crate) fn new(producer: &str, consumer: &str, metrics: &Metrics) -> Self {
        let label = &[("producer", producer), ("consumer", consumer)];
        Self {
            carried: metrics.counter("bus_carried_total", "Events handed to the carrier.", label),
            failures: metrics.counter(
                "bus_carrier_failures_total",
                "Times that the carrier failed.",
                label,
            ),
            replays: metrics.counter(
                "bus_replays_total",
                "Times that the carrier had lost what it held, and was sent it again.",
                label,
            ),
            lag_events: metrics.gauge(
                "bus_lag_events",
                "Events in the outbox that the consumer has not confirmed.",
                label,
            ),
            lag_ms: metrics.gauge(
                "bus_lag_milliseconds",
                "Age of the oldest event that the consumer has not confirmed.",
                label,
            ),
        }
    }
}
