//! The HTTP server: HTTP/1.1 and HTTP/2 (prior knowledge) on one port, bounded in every way.
//!
//! Between the socket and the handler there is no router, no timer per request and no text made:
//! one pass over the headers, one request extension, cached metric handles.

mod answer;
mod connection;
mod guard;
mod io;
mod limits;
mod pulse;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kernel::Tasks;
use serde::Serialize;
use telemetry::Traces;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

pub use limits::ServerLimits;

use crate::{AccessLog, Handler, Ingress, Red};

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
    /// Where request spans go, and under the name of which service.
    pub traces: Option<(Traces, &'static str)>,
}

impl Server {
    /// A server with default limits that counts and traces nothing.
    #[must_use]
    pub fn new(handler: Arc<dyn Handler>, ingress: Ingress) -> Self {
        Self {
            handler,
            ingress,
            limits: ServerLimits::default(),
            red: Red::default(),
            access_log: AccessLog::default(),
            traces: None,
        }
    }

    /// Starts to serve: connections are handed in by [`Running::take`].
    #[must_use]
    pub fn run(self, tasks: Tasks) -> Running {
        let shared = Shared {
            slots: Arc::new(Semaphore::new(self.limits.connections_max)),
            server: self,
            tasks,
            draining: AtomicBool::new(false),
            drain: CancellationToken::new(),
            cut: CancellationToken::new(),
            open: AtomicUsize::new(0),
            none_open: Notify::new(),
        };
        Running(Arc::new(shared))
    }
}

/// How long a drain lets clients learn from an answer that the connection ends.
const GOODBYE: Duration = Duration::from_millis(300);

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Drained {
    /// Connections that were cut because the time was up.
    pub cut: usize,
}

/// What all connections of a server share.
pub(crate) struct Shared {
    server: Server,
    tasks: Tasks,
    slots: Arc<Semaphore>,
    draining: AtomicBool,
    drain: CancellationToken,
    cut: CancellationToken,
    open: AtomicUsize,
    none_open: Notify,
}

/// A server that serves. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Running(Arc<Shared>);

/// The right to one connection.
pub struct Slot(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Running {
    /// Waits until there may be one more connection.
    pub async fn slot(&self) -> Slot {
        let permit = Arc::clone(&self.0.slots).acquire_owned().await;
        Slot(permit.expect("the semaphore is never closed"))
    }

    /// The same for who came as the listener closed; `None` when it stays full, because then nobody
    /// leaves before the drain.
    pub async fn slot_soon(&self) -> Option<Slot> {
        tokio::time::timeout(GOODBYE, self.slot()).await.ok()
    }

    /// Serves one connection on the runtime of the calling task.
    pub fn take(&self, stream: TcpStream, peer: SocketAddr, slot: Slot) {
        let shared = Arc::clone(&self.0);
        shared.open.fetch_add(1, Ordering::SeqCst);
        let open = Open(Arc::clone(&shared));
        self.0.tasks.spawn(async move {
            connection::drive(&shared, stream, peer).await;
            drop((open, slot));
        });
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.open.load(Ordering::SeqCst)
    }

    /// Finishes requests in flight, says `connection: close` (or GOAWAY), closes what is idle, and
    /// cuts what is left after the drain time.
    pub async fn drain(&self) -> Drained {
        let (limit, began) = (self.0.server.limits.drain(), Instant::now());
        self.0.draining.store(true, Ordering::SeqCst);
        // To close an idle connection at once may hit a request that is on its way. Who is at work
        // learns it from the next answer; only then are the others closed.
        let _ = tokio::time::timeout(GOODBYE.min(limit / 2), self.quiet()).await;
        self.0.drain.cancel();
        let left = limit.saturating_sub(began.elapsed());
        let quiet = tokio::time::timeout(left, self.quiet()).await;
        let cut = if quiet.is_ok() { 0 } else { self.connections() };
        self.0.cut.cancel();
        self.quiet().await;
        Drained { cut }
    }

    async fn quiet(&self) {
        loop {
            let mut waiting = std::pin::pin!(self.0.none_open.notified());
            waiting.as_mut().enable();
            if self.connections() == 0 {
                return;
            }
            waiting.await;
        }
    }
}

/// Counts a connection for as long as it lives.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.none_open.notify_waiters();
        }
    }
}

/// Serves until `tasks` are asked to stop, then accepts no more and drains (see [`Running::drain`]).
pub async fn serve(listener: TcpListener, server: Server, tasks: Tasks) -> Drained {
    let running = server.run(tasks.clone());
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping() => break,
            accepted = accept(&listener, &running) => accepted,
        };
        if let Some((stream, peer, slot)) = accepted {
            running.take(stream, peer, slot);
        }
    }
    for (stream, peer) in leftover(listener) {
        if let (Ok(stream), Some(slot)) = (TcpStream::from_std(stream), running.slot_soon().await) {
            running.take(stream, peer, slot);
        }
    }
    running.drain().await
}

/// Closes `listener`, and answers whoever had connected by then: the kernel would reset them.
pub fn leftover(listener: TcpListener) -> Vec<(std::net::TcpStream, SocketAddr)> {
    let mut waiting = Vec::new();
    // It does not block: the loop ends when the queue is empty.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, peer)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                waiting.push((stream, peer));
            }
        }
    }
    waiting
}

/// The next connection, when there may be one more. `None` after a failure that passes.
pub async fn accept(
    listener: &TcpListener,
    running: &Running,
) -> Option<(TcpStream, SocketAddr, Slot)> {
    let slot = running.slot().await;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            // Out of file descriptors, most likely: it passes as connections end.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
    }
}
