//! The running system as a whole, for the console and the command line: this process, and, where it
//! supervises or finds others, those too.

mod faults;
mod others;
mod policies;
mod timeline;

use std::sync::Arc;

use ::faults::FaultSpec;
use async_trait::async_trait;
use bytes::Bytes;
use console::{About, ClusterError, FaultAt, KnobView, Replica, ReplicaState};
use web::ProblemReply;

use crate::operate::admin::{Admin, KnobSet};
use crate::settings::config::Topology;
use crate::shell::host::Host;
use crate::shell::names::CONSOLE;

pub(crate) use others::Others;

/// The system, seen from one of its processes.
pub(crate) struct System {
    pub(crate) host: Arc<Host>,
    pub(crate) admin: Admin,
    /// Whether the console is in this process.
    pub(crate) has_page: bool,
    /// The other processes, where this one knows them.
    pub(crate) others: Option<Others>,
}

impl System {
    /// The services in this process, the page among them.
    fn names(&self) -> Vec<&'static str> {
        let mut names = self.admin.services();
        names.extend(self.has_page.then_some(CONSOLE));
        names
    }
}

#[async_trait]
impl console::Cluster for System {
    fn about(&self) -> About {
        about(&self.host)
    }

    async fn replicas(&self) -> Vec<Replica> {
        let mut replicas = vec![replica(&self.host, &self.names())];
        if let Some(others) = &self.others {
            replicas.extend(others.replicas().await);
        }
        replicas
    }

    async fn get(&self, replica: &str, path: &str) -> Result<Bytes, ClusterError> {
        if replica == self.host.id {
            return self.admin.get(path).await;
        }
        match &self.others {
            Some(others) => others.get(replica, path).await,
            None => Err(ClusterError::NotFound(format!(
                "no process is called '{replica}'"
            ))),
        }
    }

    async fn knobs(&self) -> Result<Vec<KnobView>, ClusterError> {
        let mut knobs = self.admin.knobs();
        if let Some(others) = &self.others {
            knobs.extend(others.knobs().await);
        }
        Ok(knobs)
    }

    async fn set_knob(
        &self,
        service: &str,
        name: &str,
        value: &str,
    ) -> Result<KnobView, ClusterError> {
        let set = KnobSet {
            service: service.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let mut now = match &self.others {
            Some(others) if !self.admin.services().contains(&service) => {
                others.set_knob(&set).await?
            }
            _ => self.admin.turn(set.clone()).await.map_err(refused)?,
        };
        if let Some(others) = &self.others {
            now.mixed = !others.follow(&set).await;
        }
        Ok(now)
    }

    async fn faults(&self) -> Result<Vec<FaultAt>, ClusterError> {
        Ok(self.all_faults().await)
    }

    async fn inject(&self, spec: FaultSpec) -> Result<FaultAt, ClusterError> {
        self.strike(spec).await
    }

    async fn end_fault(&self, id: &str) -> Result<Vec<String>, ClusterError> {
        self.end(id).await
    }
}

fn refused(problem: ProblemReply) -> ClusterError {
    let not_found = problem.0.status == kernel::Code::NotFound.status();
    let detail = problem.0.detail;
    if not_found {
        ClusterError::NotFound(detail)
    } else {
        ClusterError::Refused(detail)
    }
}

/// This process as the console sees it.
fn replica(host: &Host, services: &[&str]) -> Replica {
    let state = match host.phase.name() {
        "starting" => ReplicaState::Starting,
        "up" => ReplicaState::Up,
        _ => ReplicaState::Draining,
    };
    Replica {
        id: host.id.clone(),
        services: services.iter().map(|s| (*s).to_owned()).collect(),
        state,
        address: host.address.get().map(ToString::to_string),
        pid: Some(std::process::id()),
        restarts: 0,
        since: host.started,
    }
}

fn about(host: &Host) -> About {
    let config = &host.config;
    let scheme = |url: &Option<String>| {
        url.as_deref()
            .and_then(|u| u.split(':').next())
            .unwrap_or_default()
            .to_owned()
    };
    let apart = host.role.topology() == Topology::Apart;
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        topology: if apart { "apart" } else { "together" }.to_owned(),
        store: if scheme(&config.store.url).starts_with("postgres") {
            "PostgreSQL"
        } else {
            "SQLite"
        }
        .to_owned(),
        cache: if scheme(&config.cache.url) == "redis" {
            "Redis"
        } else {
            "memory"
        }
        .to_owned(),
        bus: match (scheme(&config.bus.url).as_str(), apart) {
            ("nats", _) => "NATS",
            (_, true) => "mesh",
            (_, false) => "in process",
        }
        .to_owned(),
    }
}
