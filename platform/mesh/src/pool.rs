//! HTTP/1.1 keep-alive connections to endpoints. A connection is driven by the very task that uses
//! it (no task of its own, so no hop between tasks); at rest it lies in the pool unpolled.
//!
//! A pool belongs to one runtime: give each worker its own. It is `Send` and cheap to clone.

mod body;
mod connection;
mod error;
mod relay;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body::Body;
use parking_lot::Mutex;

pub use body::PooledBody;
pub use error::{SendError, SendErrorKind};

use connection::Connection;

/// An error of any kind, as hyper wants it of bodies.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The bounds of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolConfig {
    /// At most this many connections to one endpoint lie idle.
    pub max_idle_per_endpoint: usize,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a connection may lie idle.
    pub idle_timeout: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_idle_per_endpoint: 64,
            connect_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// What a pool has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolStats {
    /// Connections made.
    pub connected: u64,
    /// Requests that found a connection ready.
    pub reused: u64,
    /// Connections that lie idle.
    pub idle: u64,
}

/// A pool of connections that carry request bodies of type `B`.
pub struct Pool<B: Body + Send + 'static>(Arc<Shared<B>>);

struct Shared<B: Body + Send + 'static> {
    config: PoolConfig,
    idle: Mutex<HashMap<SocketAddr, VecDeque<Idle<B>>>>,
    connected: AtomicU64,
    reused: AtomicU64,
}

struct Idle<B: Body + Send + 'static> {
    connection: Connection<B>,
    since: Instant,
}

impl<B: Body + Send + 'static> Clone for Pool<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> Pool<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    /// An empty pool.
    #[must_use]
    pub fn new(config: PoolConfig) -> Self {
        Self(Arc::new(Shared {
            config,
            idle: Mutex::default(),
            connected: AtomicU64::new(0),
            reused: AtomicU64::new(0),
        }))
    }

    /// Sends `request` to `addr` and answers once the head of the response is here.
    ///
    /// The URI is sent as it stands (origin form: `/path?query`) and a `host` header must be there.
    /// A connection that turns out to be closed before anything was sent is replaced without a
    /// word. Dropping the future closes the connection that it uses. There is no timeout here
    /// except for connecting: the caller knows its deadline.
    pub async fn send(
        &self,
        addr: SocketAddr,
        mut request: Request<B>,
    ) -> Result<Response<PooledBody<B>>, SendError<B>> {
        loop {
            let (mut connection, fresh) = match self.take_idle(addr) {
                Some(connection) => (connection, false),
                None => match self.connect(addr).await {
                    Ok(connection) => (connection, true),
                    Err(detail) => return Err(SendError::connect(addr, request, detail)),
                },
            };
            match connection.exchange(request).await {
                Ok(response) => {
                    let (head, incoming) = response.into_parts();
                    let body = PooledBody::new(incoming, connection, self.clone(), addr);
                    return Ok(Response::from_parts(head, body));
                }
                // Nothing of it was sent: the peer had closed the idle connection.
                Err((_, Some(unsent))) if !fresh => request = unsent,
                Err((error, unsent)) => return Err(SendError::exchange(addr, unsent, error)),
            }
        }
    }

    /// What the pool has done.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let idle = self.0.idle.lock().values().map(|q| q.len() as u64).sum();
        PoolStats {
            connected: self.0.connected.load(Ordering::Relaxed),
            reused: self.0.reused.load(Ordering::Relaxed),
            idle,
        }
    }

    /// Closes connections that have been idle for too long. `send` does it for the endpoint that
    /// it uses; call this now and then for endpoints that are used no more.
    pub fn sweep(&self) {
        let mut idle = self.0.idle.lock();
        idle.retain(|_, queue| {
            queue.retain(|i| i.since.elapsed() < self.0.config.idle_timeout);
            !queue.is_empty()
        });
    }

    /// Closes the idle connections to `addr`, as when it has left.
    pub fn forget(&self, addr: SocketAddr) {
        self.0.idle.lock().remove(&addr);
    }

    fn take_idle(&self, addr: SocketAddr) -> Option<Connection<B>> {
        loop {
            let mut candidate = {
                let mut idle = self.0.idle.lock();
                let queue = idle.get_mut(&addr)?;
                // The most recently used one is the least likely to have been closed.
                queue.pop_back()?
            };
            let too_old = candidate.since.elapsed() >= self.0.config.idle_timeout;
            if !too_old && candidate.connection.is_alive() {
                self.0.reused.fetch_add(1, Ordering::Relaxed);
                return Some(candidate.connection);
            }
        }
    }

    async fn connect(&self, addr: SocketAddr) -> Result<Connection<B>, String> {
        let connecting = Connection::open(addr);
        let connection = tokio::time::timeout(self.0.config.connect_timeout, connecting)
            .await
            .map_err(|_| {
                format!(
                    "no connection within {} ms",
                    self.0.config.connect_timeout.as_millis()
                )
            })?
            .map_err(|e| e.to_string())?;
        self.0.connected.fetch_add(1, Ordering::Relaxed);
        Ok(connection)
    }
}

impl<B: Body + Send + 'static> Pool<B> {
    /// Takes a connection back whose exchange is complete.
    fn release(&self, addr: SocketAddr, connection: Connection<B>) {
        let since = Instant::now();
        let mut idle = self.0.idle.lock();
        let queue = idle.entry(addr).or_default();
        let stale = |i: &Idle<B>| since - i.since >= self.0.config.idle_timeout;
        while queue.front().is_some_and(stale) {
            queue.pop_front();
        }
        if queue.len() < self.0.config.max_idle_per_endpoint {
            queue.push_back(Idle { connection, since });
        }
    }
}
