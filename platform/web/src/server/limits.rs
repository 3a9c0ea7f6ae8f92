//! What a client may ask of a server, in bytes and time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a client may ask of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerLimits {
    /// How long the head of a request may take.
    pub header_timeout_ms: u64,
    /// How many bytes the head may have (431 above).
    pub header_bytes_max: usize,
    /// How many headers there may be (431 above).
    pub headers_max: usize,
    /// How large a body may be (413 above).
    pub body_bytes_max: usize,
    /// How long a body may pause (408 after).
    pub body_timeout_ms: u64,
    /// How long a client may take no bytes of its answer.
    pub write_timeout_ms: u64,
    /// How long a connection may be idle.
    pub idle_timeout_ms: u64,
    /// How many connections there may be; more wait to be accepted.
    pub connections_max: usize,
    /// How many streams one HTTP/2 connection may have open.
    pub streams_max: u32,
    /// How long a drain waits for requests in flight.
    pub drain_ms: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_timeout_ms: 10_000,
            header_bytes_max: 32 * 1024,
            headers_max: 100,
            body_bytes_max: 16 * 1024 * 1024,
            body_timeout_ms: 30_000,
            write_timeout_ms: 30_000,
            idle_timeout_ms: 75_000,
            connections_max: 10_000,
            streams_max: 200,
            drain_ms: 30_000,
        }
    }
}

impl ServerLimits {
    /// How long a drain waits for requests in flight.
    #[must_use]
    pub const fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    pub(super) const fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    pub(super) const fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    pub(super) const fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }

    pub(super) const fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }

    /// How often a connection is looked at: a quarter of the shortest limit, at most 5 seconds.
    pub(super) fn tick(&self) -> Duration {
        let shortest = self
            .header_timeout_ms
            .min(self.write_timeout_ms)
            .min(self.idle_timeout_ms);
        Duration::from_millis((shortest / 4).clamp(10, 5_000))
    }
}
