//! What can be set, with defaults that hold for a small system.

use serde::{Deserialize, Serialize};
use web::ServerLimits;

/// How the gateway behaves. Every field has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Threads that serve connections; 0 means one per core.
    pub workers: usize,
    /// What clients may ask.
    pub limits: ServerLimits,
    /// One in so many successful requests gets a log line at level `info`, which `log.level = "warn,access=info"` shows; 0 logs none.
    pub access_log_one_in: u32,
    /// How remote services are called.
    pub upstream: UpstreamConfig,
    /// How replicas are checked.
    pub health: HealthConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            workers: 0,
            limits: ServerLimits::default(),
            access_log_one_in: 100,
            upstream: UpstreamConfig::default(),
            health: HealthConfig::default(),
        }
    }
}

impl Config {
    /// The number of worker threads.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        if self.workers == 0 {
            cores()
        } else {
            self.workers
        }
        .clamp(1, 256)
    }
}

/// How remote services are called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamConfig {
    /// How long a service may take to begin its answer, all attempts together (504 after).
    pub timeout_ms: u64,
    /// How long an answer may pause once it has begun. Event streams send heartbeats.
    pub body_timeout_ms: u64,
    /// How long a connection may take to come about.
    pub connect_timeout_ms: u64,
    /// How long an idle connection to a replica is kept.
    pub idle_timeout_ms: u64,
    /// How many idle connections to one replica each worker keeps.
    pub idle_per_endpoint_max: usize,
    /// Sending again.
    pub retry: RetryConfig,
    /// Which headers tell a service where a request came from.
    pub forwarded: ForwardedStyle,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            timeout_ms: 30_000,
            body_timeout_ms: 60_000,
            connect_timeout_ms: 1_000,
            idle_timeout_ms: 30_000,
            idle_per_endpoint_max: 64,
            retry: RetryConfig::default(),
            forwarded: ForwardedStyle::default(),
        }
    }
}

/// When a request is sent again to another replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// How often a request is sent at most, the first time included.
    pub attempts: u32,
    /// How many retries there may be per hundred requests.
    pub budget_percent: u32,
    /// How many retries there may be per second besides.
    pub budget_min_per_s: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 3,
            budget_percent: 20,
            budget_min_per_s: 10,
        }
    }
}

/// Which headers tell a service where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForwardedStyle {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// Both.
    Both,
}

/// How replicas are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthConfig {
    /// Whether replicas are asked at all, whatever the knob `health_checks` says; failures of real requests count either way.
    pub active: bool,
    /// What they are asked.
    pub path: String,
    /// How often.
    pub interval_ms: u64,
    /// How long the answer may take.
    pub timeout_ms: u64,
    /// So many failures in a row take a replica out.
    pub unhealthy_after: u32,
    /// So many successes in a row bring it back.
    pub healthy_after: u32,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            active: true,
            path: "/readyz".to_owned(),
            interval_ms: 1_000,
            timeout_ms: 500,
            unhealthy_after: 2,
            healthy_after: 1,
        }
    }
}
