//! The running system as a whole, for the console and the command line: this process, and, where it
//! supervises others, those too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use console::{About, ClusterError, KnobView, Replica, ReplicaState};
use http::Method;

use crate::admin::{Admin, KnobSet};
use crate::client::Client;
use crate::compose::CONSOLE;
use crate::config::{Config, Topology};
use crate::host::Host;
use crate::supervisor::{ProcessView, State, Supervisor};

const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The system, seen from one of its processes.
pub(crate) struct System {
    pub(crate) host: Arc<Host>,
    pub(crate) admin: Admin,
    /// Whether the console is in this process.
    pub(crate) has_page: bool,
    /// The processes that this one supervises.
    pub(crate) others: Option<Others>,
}

/// The supervised processes, and how to talk to them.
pub(crate) struct Others {
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) registry: mesh::discovery::Registry,
    pub(crate) client: Client,
}

impl Others {
    pub(crate) fn new(
        supervisor: Arc<Supervisor>,
        registry: mesh::discovery::Registry,
        secret: web::ClusterSecret,
    ) -> Self {
        let client = Client::new(ANSWER_WITHIN).with_cluster(secret);
        Self {
            supervisor,
            registry,
            client,
        }
    }

    /// The address of each process that has registered, by its name.
    fn addresses(&self) -> BTreeMap<String, String> {
        let view = self.registry.with(|state| state.view());
        let endpoints = view.services.into_values().flatten();
        endpoints
            .map(|e| (e.id.to_string(), e.addr.to_string()))
            .collect()
    }

    fn replica(&self, process: ProcessView, address: Option<String>) -> Replica {
        let state = match (process.state, address.is_some()) {
            (State::Running, true) => ReplicaState::Up,
            (State::Running, false) => ReplicaState::Starting,
            (State::Waiting, _) => ReplicaState::Restarting,
            (State::Looping | State::Stopped, _) => ReplicaState::Down,
        };
        Replica {
            id: process.id,
            services: vec![process.service.to_owned()],
            state,
            address,
            pid: process.pid,
            restarts: u32::try_from(process.restarts).unwrap_or(u32::MAX),
            since: process.since,
        }
    }

    async fn get(&self, replica: &str, path: &str) -> Result<Bytes, ClusterError> {
        let unreachable = || ClusterError::Unreachable {
            replica: replica.to_owned(),
        };
        let address = self.addresses().remove(replica).ok_or_else(unreachable)?;
        let url = format!("http://{address}{path}");
        let answer = self.client.send(Method::GET, &url, &[], Vec::new()).await;
        let answer = answer.map_err(|_| unreachable())?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        let problem = answer
            .json::<serde_json::Value>()
            .err()
            .map(|error| error.to_string());
        Err(ClusterError::NotFound(problem.unwrap_or_default()))
    }

    /// The knobs of every process; one that replicas disagree on is marked.
    async fn knobs(&self) -> Vec<KnobView> {
        let mut all: BTreeMap<(String, String), KnobView> = BTreeMap::new();
        for replica in self.addresses().into_keys() {
            let Ok(body) = self.get(&replica, "/admin/knobs").await else {
                continue;
            };
            let knobs: Vec<KnobView> = serde_json::from_slice(&body).unwrap_or_default();
            for knob in knobs {
                let key = (knob.service.clone(), knob.name.clone());
                let known = all.entry(key).or_insert_with(|| knob.clone());
                known.mixed |= known.value != knob.value;
            }
        }
        all.into_values().collect()
    }

    /// Asks the replicas of a service until one sets the knob; the others follow by themselves.
    async fn set_knob(&self, set: &KnobSet) -> Result<KnobView, ClusterError> {
        let view = self.registry.with(|state| state.view());
        let Some(endpoints) = view.services.get(&set.service) else {
            let known: Vec<String> = view.services.into_keys().collect();
            let known = known.join(", ");
            let text = format!("no service '{}' runs here; there are {known}", set.service);
            return Err(ClusterError::NotFound(text));
        };
        for endpoint in endpoints {
            let url = format!("http://{}/admin/knobs", endpoint.addr);
            let json = [("content-type", "application/json")];
            let body = serde_json::to_vec(set).unwrap_or_default();
            if let Ok(answer) = self.client.send(Method::POST, &url, &json, body).await {
                return answer
                    .json()
                    .map_err(|error| ClusterError::Refused(error.to_string()));
            }
        }
        Err(ClusterError::Unreachable {
            replica: set.service.clone(),
        })
    }
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
        about(&self.host.config)
    }

    async fn replicas(&self) -> Vec<Replica> {
        let mut replicas = vec![self.host.replica(&self.names())];
        if let Some(others) = &self.others {
            let mut addresses = others.addresses();
            for process in others.supervisor.processes() {
                let address = addresses.remove(&process.id);
                replicas.push(others.replica(process, address));
            }
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
        match &self.others {
            Some(others) if !self.admin.services().contains(&service) => {
                others.set_knob(&set).await
            }
            _ => self.admin.turn(set).await.map_err(|problem| {
                let not_found = problem.0.status == kernel::Code::NotFound.status();
                let detail = problem.0.detail;
                if not_found {
                    ClusterError::NotFound(detail)
                } else {
                    ClusterError::Refused(detail)
                }
            }),
        }
    }
}

fn about(config: &Config) -> About {
    let scheme = |url: &Option<String>| {
        url.as_deref()
            .and_then(|u| u.split(':').next())
            .unwrap_or_default()
            .to_owned()
    };
    let apart = config.topology == Topology::Apart;
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
