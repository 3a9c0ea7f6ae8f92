//! A TCP proxy that faults strike: late, narrow, reset, half open, or a black hole.
//!
//! It stands in front of a listener of ours, or of a server that is none of ours, and knows nothing of
//! what is said. It is a crate of its own because the vocabulary of faults has no I/O.
//!
//! Invariants: bytes leave in the order in which they came. Connections and what is held of each are
//! bounded. Once a fault has ended, what comes through is whole: a connection that lost bytes is reset.

mod connection;
mod pump;
mod weather;

use std::sync::Arc;
use std::time::Duration;

use faults::{Change, Faults, Seam};
use kernel::Tasks;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use connection::Connection;

/// How many connections are carried at once; more wait in the listener's queue.
pub const CONNECTIONS_MAX: usize = 1_024;
/// The pause after the system had no more sockets.
const PAUSE: Duration = Duration::from_millis(50);

/// What a proxy knows.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Where connections lead, such as `127.0.0.1:5432`; names are looked up each time.
    pub(crate) to: String,
    pub(crate) faults: Faults,
    /// Changes with every fault that begins or ends.
    pub(crate) changes: watch::Receiver<u64>,
}

/// Carries the connections of `listener` to the address `to` until `tasks` are asked to end, which
/// breaks them. Every fault in `faults` at the seam of sockets is meant for them.
pub fn serve(listener: TcpListener, to: impl Into<String>, faults: &Faults, tasks: &Tasks) {
    let (changed, changes) = watch::channel(0_u64);
    faults.listen(move |change: &Change| {
        if change.fault.spec.seam == Seam::Socket {
            changed.send_modify(|n| *n = n.wrapping_add(1));
        }
    });
    let proxy = Arc::new(Proxy {
        to: to.into(),
        faults: faults.clone(),
        changes,
    });
    let carrying = tasks.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = accept(listener, proxy, &carrying) => {}
            () = carrying.stopping() => {}
        }
    });
}

async fn accept(listener: TcpListener, proxy: Arc<Proxy>, tasks: &Tasks) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                tracing::warn!(%error, "the proxy cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let connection = Connection::new(Arc::clone(&proxy));
        let stop = tasks.clone();
        tasks.spawn(async move {
            let _permit = permit;
            tokio::select! {
                () = connection.carry(client) => {}
                () = stop.stopping() => {}
            }
        });
    }
}
