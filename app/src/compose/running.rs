//! A system that runs, and how it ends: what is in flight finishes, then what is kept is flushed.

use std::sync::Arc;
use std::time::Duration;

use kernel::Tasks;
use telemetry::EventKind;

use crate::operate::supervisor::{ProcessView, Supervisor};
use crate::settings::ready::Ready;
use crate::shell::host::Host;

/// How long others may take to learn that this process takes nothing new.
const TELL_WITHIN: Duration = Duration::from_millis(200);
/// How much longer than its own drain a child may take before it is killed.
const CHILD_GRACE: Duration = Duration::from_secs(5);

/// A system, or one process of it, that runs.
pub struct Running {
    pub(crate) host: Arc<Host>,
    pub(crate) ready: Ready,
    /// The public listener's requests.
    pub(crate) outer: Tasks,
    /// The internal listener's requests.
    pub(crate) inner: Tasks,
    pub(crate) supervisor: Option<Arc<Supervisor>>,
}

impl Running {
    /// Where everything is.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The processes that this one supervises.
    pub(crate) fn processes(&self) -> Vec<ProcessView> {
        self.supervisor
            .as_ref()
            .map(|s| s.processes())
            .unwrap_or_default()
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Ends it: no new connections, requests in flight finish, services flush, and all is closed.
    pub async fn drain(self) {
        let Self {
            host,
            outer,
            inner,
            supervisor,
            ..
        } = self;
        host.phase.draining();
        // Whoever is held up or stopped on purpose has to end as well.
        host.faults.clear();
        let id = host.id.clone();
        let attributes = [("process", id.as_str())];
        host.telemetry
            .timeline
            .record(EventKind::Stop, format!("{id} drains"), &attributes);
        // Whom a replica tells to leave comes back through the gateway, which must not lead him here
        // again; the gateway itself has to find the others to its last request.
        let behind = host.front.get().is_none() && supervisor.is_none();
        if behind {
            be_unknown(&host).await;
        }
        // Streams, polls and sockets have no end of their own.
        host.leave.tell();
        outer.shutdown().await;
        if let Some(supervisor) = supervisor {
            let within = host.config.gateway.limits.drain() + CHILD_GRACE;
            supervisor.stop_all(within).await;
        }
        if !behind {
            be_unknown(&host).await;
        }
        inner.shutdown().await;
        host.proxying.shutdown().await;
        host.tasks.shutdown().await;
    }
}

/// Is found no more, and gives the others time to hear of it.
async fn be_unknown(host: &Host) {
    let announced = host.discovery.registry.is_some();
    host.finding.shutdown().await;
    if announced {
        tokio::time::sleep(TELL_WITHIN).await;
    }
}
