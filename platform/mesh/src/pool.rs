//! HTTP/1.1 keep-alive connections to endpoints, without TLS: what passes between a gateway and its
//! replicas, and between services.
//!
//! A connection is driven by the very task that uses it (no task of its own, so no hop between
//! tasks); at rest it lies in the pool unpolled. Requests are written as bytes once and can be sent
//! to another endpoint as they are; heads and chunks of responses are parsed by `httparse`.
//!
//! A pool belongs to one runtime: give each worker its own. It is `Send` and cheap to clone.

mod body;
mod connection;
mod decode;
mod error;
mod head;
mod outgoing;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use parking_lot::Mutex;

pub use body::PooledBody;
pub use error::{SendError, SendErrorKind};
pub use outgoing::{Outgoing, RequestHead};

use body::Reading;
use connection::Connection;
use head::Head;

/// An error of any kind, as bodies end in.
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

/// A pool of connections. Cheap to clone.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    config: PoolConfig,
    /// Few endpoints: comparing is cheaper than hashing.
    idle: Mutex<BTreeMap<SocketAddr, VecDeque<Idle>>>,
    connected: AtomicU64,
    reused: AtomicU64,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
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
    /// The URI is sent in origin form (`/path?query`) and a `host` header must be there. A
    /// connection that turns out to be closed before anything was sent is replaced without a word.
    /// Dropping the future closes the connection that it uses. There is no timeout here except for
    /// connecting: the caller knows its deadline.
    pub fn send<B>(
        &self,
        addr: SocketAddr,
        request: impl Into<Outgoing<B>>,
    ) -> impl Future<Output = Result<Response<PooledBody<B>>, SendError<B>>>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        // Outside of the future, which would hold it in both of its forms.
        let mut request = request.into();
        async move {
            loop {
                let (mut connection, fresh) = match self.take_idle(addr) {
                    Some(connection) => (connection, false),
                    // Boxed: large, and seldom needed.
                    None => match Box::pin(self.connect(addr)).await {
                        Ok(connection) => (connection, true),
                        Err(error) => return Err(SendError::connect(addr, request, &error)),
                    },
                };
                match connection.exchange(&mut request).await {
                    Ok(head) => return Ok(self.response(addr, connection, head, request)),
                    // The peer had closed the idle connection.
                    Err(_) if request.is_whole() && !fresh => {}
                    Err(error) => return Err(SendError::exchange(addr, request, &error)),
                }
            }
        }
    }

    fn response<B>(
        &self,
        addr: SocketAddr,
        connection: Connection,
        head: Head,
        request: Outgoing<B>,
    ) -> Response<PooledBody<B>>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let body = PooledBody::new(Reading {
            connection,
            decoder: head.decoder,
            keeps_alive: head.keeps_alive,
            request: (!request.is_sent()).then_some(request),
            pool: self.clone(),
            addr,
        });
        Response::from_parts(head.parts, body)
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

    /// Closes connections that have been idle for too long or that their peer has closed. `send`
    /// does it for the endpoint that it uses; call this now and then for endpoints that are used no
    /// more.
    pub fn sweep(&self) {
        let mut idle = self.0.idle.lock();
        idle.retain(|_, queue| {
            queue.retain_mut(|i| {
                i.since.elapsed() < self.0.config.idle_timeout && i.connection.is_alive()
            });
            !queue.is_empty()
        });
    }

    /// Closes the idle connections to `addr`, as when it has left.
    pub fn forget(&self, addr: SocketAddr) {
        self.0.idle.lock().remove(&addr);
    }

    fn take_idle(&self, addr: SocketAddr) -> Option<Connection> {
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

    async fn connect(&self, addr: SocketAddr) -> io::Result<Connection> {
        let limit = self.0.config.connect_timeout;
        let connecting = Connection::open(addr);
        let connection = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| {
                let limit = limit.as_millis();
                io::Error::other(format!("no connection within {limit} ms"))
            })??;
        self.0.connected.fetch_add(1, Ordering::Relaxed);
        Ok(connection)
    }

    /// Takes a connection back whose exchange is complete.
    fn release(&self, addr: SocketAddr, connection: Connection) {
        let since = Instant::now();
        let mut idle = self.0.idle.lock();
        let queue = idle.entry(addr).or_default();
        let stale = |i: &Idle| since - i.since >= self.0.config.idle_timeout;
        while queue.front().is_some_and(stale) {
            queue.pop_front();
        }
        if queue.len() < self.0.config.max_idle_per_endpoint {
            queue.push_back(Idle { connection, since });
        }
    }
}
