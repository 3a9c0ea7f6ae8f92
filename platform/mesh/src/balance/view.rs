//! The balancer as people see it: each endpoint's load, cost, and why it is out if it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use kernel::Steady;
use serde::Serialize;

use super::choices::Heeds;
use super::eject::in_words;
use super::slot::{Record, Slot};
use super::{Algorithm, BalancerConfig};

/// The endpoints of a service and how they stand.
#[derive(Debug, Clone, Serialize)]
pub struct BalancerView {
    /// The service.
    pub service: Arc<str>,
    /// How endpoints are chosen now.
    pub algorithm: Algorithm,
    /// Each endpoint.
    pub endpoints: Vec<EndpointView>,
}

/// How one endpoint stands.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointView {
    /// Its name.
    pub id: Arc<str>,
    /// Its address.
    pub addr: SocketAddr,
    /// Its share.
    pub weight: u32,
    /// Whether it gets requests.
    pub in_rotation: bool,
    /// Requests in flight.
    pub in_flight: u32,
    /// Its moving mean latency.
    pub latency_ms: f64,
    /// What is left of the penalty for its failures.
    pub penalty_ms: f64,
    /// What a request there costs now, as the default algorithm sees it.
    pub cost_ms: f64,
    /// Why it is out of rotation, with the samples that did it.
    pub why_out: Option<String>,
}

impl Slot {
    pub(super) fn view(&self, config: &BalancerConfig, heeds: Heeds, now: Steady) -> EndpointView {
        let record = self.record.lock();
        EndpointView {
            id: Arc::clone(&self.endpoint.id),
            addr: self.endpoint.addr,
            weight: self.endpoint.weight,
            in_rotation: self.in_rotation.load(Relaxed),
            in_flight: self.in_flight(),
            latency_ms: self.latency_us(config, now) / 1_000.0,
            penalty_ms: self.penalty_us(config, now) / 1_000.0,
            cost_ms: self.cost(config, now) / 1_000.0,
            why_out: why_out(&record, heeds, now),
        }
    }
}

fn why_out(record: &Record, heeds: Heeds, now: Steady) -> Option<String> {
    if let Some(check) = record.health.as_ref().filter(|_| heeds.health) {
        let since = in_words(now.since(record.health_since));
        return Some(format!("its health check has failed for {since}: {check}"));
    }
    let cause = record.ejection.cause()?;
    let left = in_words(record.ejection.until()?.since(now));
    let samples: Vec<String> = record
        .samples
        .iter()
        .map(|s| {
            let ago = in_words(now.since(s.at));
            format!(
                "{} after {} ({ago} ago)",
                s.outcome.words(),
                in_words(s.latency)
            )
        })
        .collect();
    Some(format!(
        "{cause}; it is let in again in {left}. It {}",
        samples.join(", it ")
    ))
}
