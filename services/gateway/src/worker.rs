//! Worker threads, each with a runtime of its own: a connection never moves between threads.

use std::net::SocketAddr;
use std::sync::Arc;

use kernel::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use web::{Drained, Running, Server, Slot, accept, leftover};

/// How many accepted connections may wait for a worker.
const HANDOVER_MAX: usize = 128;

type Handover = (std::net::TcpStream, SocketAddr, Slot);

struct Worker {
    running: Running,
    inbox: mpsc::Sender<Handover>,
    drained: oneshot::Receiver<Drained>,
}

/// Serves `listener` on one thread per server until `tasks` are asked to stop, then drains.
///
/// One task accepts and hands each connection to the worker that has the fewest. So the load is
/// even from the first connection on, and a second process on the same port is still an error
/// (with `SO_REUSEPORT` it would quietly take half of the traffic).
pub(crate) async fn serve(
    listener: TcpListener,
    servers: Vec<Server>,
    tasks: &Tasks,
) -> std::io::Result<Drained> {
    let mut workers = Vec::with_capacity(servers.len());
    for (number, server) in servers.into_iter().enumerate() {
        workers.push(start(number, server, tasks.clone())?);
    }
    loop {
        let worker = workers
            .iter()
            .min_by_key(|w| w.running.connections())
            .expect("there is at least one worker");
        let accepted = tokio::select! {
            () = tasks.stopping() => break,
            accepted = accept(&listener, &worker.running) => accepted,
        };
        let Some((stream, peer, slot)) = accepted else {
            continue;
        };
        let Ok(stream) = stream.into_std() else {
            continue;
        };
        if worker.inbox.send((stream, peer, slot)).await.is_err() {
            tracing::error!("a gateway worker has died; its connections are refused");
        }
    }
    for ((stream, peer), worker) in leftover(listener).into_iter().zip(workers.iter().cycle()) {
        let Some(slot) = worker.running.slot_soon().await else {
            continue;
        };
        if worker.inbox.send((stream, peer, slot)).await.is_err() {
            tracing::error!("a gateway worker has died; its connections are refused");
        }
    }
    let mut cut = 0;
    for worker in workers {
        drop(worker.inbox);
        cut += worker.drained.await.map_or(0, |d| d.cut);
    }
    Ok(Drained { cut })
}

fn start(number: usize, server: Server, tasks: Tasks) -> std::io::Result<Worker> {
    let (inbox, connections) = mpsc::channel(HANDOVER_MAX);
    let (ended, drained) = oneshot::channel();
    let running = server.run(tasks);
    let serving = running.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name(format!("gateway-{number}"))
        .spawn(move || {
            let drained = runtime.block_on(run(serving, connections));
            // Nobody waits any more if the gateway itself was dropped.
            let _ = ended.send(drained);
        })?;
    Ok(Worker {
        running,
        inbox,
        drained,
    })
}

async fn run(running: Running, mut connections: mpsc::Receiver<Handover>) -> Drained {
    while let Some((stream, peer, slot)) = connections.recv().await {
        match TcpStream::from_std(stream) {
            Ok(stream) => running.take(stream, peer, slot),
            Err(error) => tracing::warn!(%error, "a connection could not be taken over"),
        }
    }
    running.drain().await
}

/// The servers of `count` workers that share `server`'s limits, each with a handler of its own.
pub(crate) fn split(
    server: &Server,
    count: usize,
    handler: impl Fn() -> Arc<dyn web::Handler>,
) -> Vec<Server> {
    (0..count)
        .map(|_| {
            let mut own = server.clone();
            own.limits.connections_max = server.limits.connections_max.div_ceil(count);
            own.handler = handler();
            own
        })
        .collect()
}
