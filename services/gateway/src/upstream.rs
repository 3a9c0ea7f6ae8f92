//! A service with its replicas: who gets the next request, and how much may be sent again.

mod budget;

use std::net::SocketAddr;

use kernel::ChoiceKnob;
use mesh::balance::{Algorithm, Balancer, BalancerConfig, BalancerView, Health, Picked};
use serde::Serialize;
use telemetry::Counter;

use crate::Deps;
use crate::choices::{Choices, Retries};
use crate::config::{Config, RetryConfig};
use budget::Budget;

/// A remote service.
pub(crate) struct Upstream {
    pub(crate) service: &'static str,
    pub(crate) retries: Counter,
    retrying: ChoiceKnob<Retries>,
    budget: Budget,
    balancer: Balancer,
}

/// A remote service as operators see it.
#[derive(Debug, Clone, Serialize)]
pub struct UpstreamView {
    /// The service.
    pub service: &'static str,
    /// How many retries are left in its budget.
    pub retries_left: i64,
    /// Its replicas, and why one is out.
    pub balancer: BalancerView,
}

impl Upstream {
    pub(crate) fn new(
        service: &'static str,
        deps: &Deps,
        config: &Config,
        choices: &Choices,
    ) -> Self {
        let balancer = Balancer::new(
            service,
            deps.discovery.watch(service),
            choices.balancing(),
            BalancerConfig::default(),
            deps.ctx.clone(),
        );
        let retries = deps.telemetry.metrics.counter(
            "gateway_retries_total",
            "Requests sent again to another replica",
            &[("service", service)],
        );
        Self {
            service,
            retries,
            retrying: choices.retries.clone(),
            budget: Budget::new(&config.upstream.retry),
            balancer,
        }
    }

    /// A replica that is not among `tried`, if there is another; `None` if none is known.
    pub(crate) fn pick(&self, hash: Option<u64>, tried: &[SocketAddr]) -> Option<Picked> {
        self.balancer.pick_other(hash, tried)
    }

    /// How often a request that arrives now may be sent; it earns its share of the budget.
    pub(crate) fn attempts(&self, config: &RetryConfig) -> usize {
        self.budget.earn(config);
        match self.retrying.get() {
            Retries::Off => 1,
            Retries::Budget | Retries::Unlimited => config.attempts.max(1) as usize,
        }
    }

    /// Whether there may be one more retry now; takes it out of the budget where that counts.
    pub(crate) fn may_retry(&self, config: &RetryConfig) -> bool {
        match self.retrying.get() {
            Retries::Budget => self.budget.spend(config),
            Retries::Off => false,
            Retries::Unlimited => true,
        }
    }

    /// Whether the choice depends on who asks.
    pub(crate) fn wants_hash(&self) -> bool {
        self.balancer.algorithm() == Algorithm::ConsistentHash
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.balancer
            .endpoints()
            .into_iter()
            .map(|e| e.addr)
            .collect()
    }

    pub(crate) fn mark(&self, addr: SocketAddr, health: Health) {
        self.balancer.mark(addr, health);
    }

    pub(crate) fn view(&self) -> UpstreamView {
        UpstreamView {
            service: self.service,
            retries_left: self.budget.left(),
            balancer: self.balancer.view(),
        }
    }
}
