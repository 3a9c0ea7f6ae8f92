//! Runs one process per service and replica, and starts again what ends.
//!
//! Each child has a process group of its own, so that a Ctrl-C reaches only the parent, which drains
//! in order. Standard input of a child is a pipe whose end says that the parent is gone.

mod backoff;
mod child;
mod launch;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use mesh::discovery::Registry;
use parking_lot::Mutex;
use serde::Serialize;
use telemetry::{EventKind, Telemetry};
use tokio::task::JoinHandle;

use crate::shell::host::Host;
use crate::shell::names::GATEWAY;
use child::Child;
pub(crate) use launch::Launcher;

/// A process to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    /// The service.
    pub(crate) service: &'static str,
    /// Which of its replicas, from 1.
    pub(crate) replica: u32,
}

impl Spec {
    /// The name of the process, such as `links-2`.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.service, self.replica)
    }
}

/// How a process fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It runs.
    Running,
    /// It ended and waits to be started again.
    Waiting,
    /// It ends again and again.
    Looping,
    /// It was asked to end, and has.
    Stopped,
}

/// A process as status and console see it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProcessView {
    /// Its name, such as `links-2`.
    pub(crate) id: String,
    /// The service that it runs.
    pub(crate) service: &'static str,
    /// Its process id while it runs.
    pub(crate) pid: Option<u32>,
    /// How it fares.
    pub(crate) state: State,
    /// How often it was started again.
    pub(crate) restarts: u64,
    /// Since when it is in this state.
    pub(crate) since: Timestamp,
    /// How it ended last.
    pub(crate) last_end: Option<String>,
}

/// The children of this process.
pub(crate) struct Supervisor {
    children: Vec<Arc<Child>>,
    running: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
    launcher: Arc<Launcher>,
}

impl Supervisor {
    /// A supervisor of a process for each of `specs`; none runs yet.
    pub(crate) fn new(specs: &[Spec], launcher: Launcher, host: &Host) -> Self {
        let child = |spec: &Spec| Arc::new(Child::new(spec.clone(), &host.ctx, &host.telemetry));
        Self {
            children: specs.iter().map(child).collect(),
            running: Mutex::default(),
            launcher: Arc::new(launcher),
        }
    }

    /// Starts every process and keeps it running.
    pub(crate) fn start(&self, registry: &Registry, host: &Host) {
        let mut running = self.running.lock();
        for child in &self.children {
            let keep = Arc::clone(child).keep(Arc::clone(&self.launcher), registry.clone());
            running.push((child.spec.service, host.tasks.spawn(keep)));
        }
    }

    /// Every process, in the order of its spec.
    pub(crate) fn processes(&self) -> Vec<ProcessView> {
        self.children.iter().map(|child| child.view()).collect()
    }

    /// Ends every process, the gateway first: asks, waits, and kills what is left after `within`.
    pub(crate) async fn stop_all(&self, within: Duration) {
        // As long as anybody holds the listener, clients wait in its queue.
        self.launcher.close_listener();
        self.stop(|service| service == GATEWAY, within).await;
        self.stop(|_| true, within).await;
    }

    async fn stop(&self, which: impl Fn(&str) -> bool, within: Duration) {
        for child in self
            .children
            .iter()
            .filter(|child| which(child.spec.service))
        {
            child.stop(within);
        }
        let ending: Vec<_> = {
            let mut running = self.running.lock();
            running
                .extract_if(.., |(of, _)| which(of))
                .map(|(_, handle)| handle)
                .collect()
        };
        for handle in ending {
            if let Err(error) = handle.await {
                tracing::error!(%error, "the watch over a process broke");
            }
        }
    }
}

/// A listener that a child inherits: it stays open while the child is down, so that clients wait
/// in its queue instead of being refused.
pub(crate) struct PublicListener(pub(crate) Mutex<Option<TcpListener>>);

fn note(telemetry: &Telemetry, kind: EventKind, text: String, id: &str, service: &str) {
    tracing::info!(process = id, "{text}");
    telemetry
        .timeline
        .record(kind, text, &[("process", id), ("service", service)]);
}
