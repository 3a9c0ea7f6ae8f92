//! The other processes of the system: supervised by this one, or found where discovery says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use console::{ClusterError, KnobView, Replica, ReplicaState};
use faults::Place;
use futures_util::future::join_all;
use http::Method;
use kernel::Timestamp;
use mesh::discovery::{Discovery, Endpoint, Registry};
use parking_lot::Mutex;
use serde::Deserialize;
use web::ClusterSecret;

use crate::operate::admin::KnobSet;
use crate::operate::client::{Answer, Client, is_nobody_there};
use crate::operate::supervisor::{ProcessView, State, Supervisor};
use crate::shell::host::Host;
use crate::shell::names::{CONSOLE, servable};

const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long replicas have to follow one of them that was set.
const FOLLOW_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The other processes, and how to talk to them.
pub(crate) struct Others {
    known: Known,
    client: Client,
    /// Where a process answers whatever becomes of its proxy, beside the address it advertises.
    direct: Mutex<BTreeMap<String, (String, String)>>,
}

/// How this process knows of the others.
enum Known {
    /// It started them, and they registered here.
    Supervised(Arc<Supervisor>, Registry),
    /// Somebody else runs them.
    Found(Arc<Host>),
}

/// What a process says about itself.
#[derive(Deserialize)]
struct Process {
    pid: u32,
    state: String,
    started: Timestamp,
}

impl Others {
    /// Those that `supervisor` runs.
    pub(crate) fn supervised(
        supervisor: Arc<Supervisor>,
        registry: Registry,
        secret: ClusterSecret,
    ) -> Self {
        Self::new(Known::Supervised(supervisor, registry), secret)
    }

    /// Those that `host` finds where its configuration says.
    pub(crate) fn found(host: &Arc<Host>) -> Self {
        Self::new(Known::Found(Arc::clone(host)), host.secret.clone())
    }

    fn new(known: Known, secret: ClusterSecret) -> Self {
        let client = Client::new(ANSWER_WITHIN).with_cluster(secret);
        Self {
            known,
            client,
            direct: Mutex::default(),
        }
    }

    /// Where each service answers.
    fn places(&self) -> BTreeMap<String, Vec<Endpoint>> {
        match &self.known {
            Known::Supervised(_, registry) => registry.with(|state| state.view()).services,
            Known::Found(host) => {
                let all = servable(&host.services).into_iter();
                let others = all.filter(|name| *name != CONSOLE);
                let place = |name: &str| host.discovery.watch(name).borrow().to_vec();
                others.map(|name| (name.to_owned(), place(name))).collect()
            }
        }
    }

    /// The address of each process, by its name.
    fn addresses(&self) -> BTreeMap<String, String> {
        let endpoints = self.places().into_values().flatten();
        endpoints
            .map(|e| (e.id.to_string(), e.addr.to_string()))
            .collect()
    }

    /// Every other process, as it fares.
    pub(super) async fn replicas(&self) -> Vec<Replica> {
        match &self.known {
            Known::Supervised(supervisor, _) => {
                let mut addresses = self.addresses();
                let processes = supervisor.processes().into_iter();
                processes
                    .map(|process| {
                        let address = addresses.remove(&process.id);
                        supervised(process, address)
                    })
                    .collect()
            }
            Known::Found(_) => {
                let places = self.places();
                let each = places.iter().flat_map(|(service, endpoints)| {
                    endpoints.iter().map(|place| self.found_at(service, place))
                });
                join_all(each).await
            }
        }
    }

    /// The process of `service` at `place`, as it describes itself.
    async fn found_at(&self, service: &str, place: &Endpoint) -> Replica {
        let said = self.fetch(&place.addr.to_string(), "/admin/process").await;
        let said = said.and_then(|body| serde_json::from_slice::<Process>(&body).ok());
        let state = match said.as_ref().map(|process| process.state.as_str()) {
            Some("up") => ReplicaState::Up,
            Some("starting") => ReplicaState::Starting,
            Some(_) => ReplicaState::Draining,
            None => ReplicaState::Down,
        };
        Replica {
            id: place.id.to_string(),
            services: vec![service.to_owned()],
            state,
            address: Some(place.addr.to_string()),
            pid: said.as_ref().map(|process| process.pid),
            restarts: 0,
            since: said.map_or(Timestamp::default(), |process| process.started),
        }
    }

    /// The answer of the process at `address` to a GET.
    async fn ask(&self, address: &str, path: &str) -> anyhow::Result<Answer> {
        let url = format!("http://{address}{path}");
        self.client.send(Method::GET, &url, &[], Vec::new()).await
    }

    /// What the process at `address` answers to a GET; nothing unless it is well.
    async fn fetch(&self, address: &str, path: &str) -> Option<Bytes> {
        let answer = self.ask(address, path).await;
        answer
            .ok()
            .filter(|a| a.status.is_success())
            .map(|a| a.body)
    }

    /// The processes that this one started, if it supervises.
    pub(super) fn supervised_here(&self) -> Option<Vec<ProcessView>> {
        match &self.known {
            Known::Supervised(supervisor, _) => Some(supervisor.processes()),
            Known::Found(_) => None,
        }
    }

    /// What can be struck in each process but `own` that answers, and who does not.
    pub(super) async fn struck_at(&self, own: &str) -> (Vec<Place>, Vec<String>) {
        let (mut places, mut silent) = (Vec::<Place>::new(), Vec::new());
        for (replica, body) in self.each(own, "/admin/place").await {
            match body.and_then(|body| serde_json::from_slice(&body).ok()) {
                Some(place) => places.push(place),
                None => silent.push(replica),
            }
        }
        let addresses = self.addresses();
        let mut direct = self.direct.lock();
        let alive: BTreeSet<&String> = addresses.keys().collect();
        direct.retain(|replica, _| alive.contains(replica));
        for place in &places {
            if let (Some(to), Some(advertised)) = (&place.direct, addresses.get(&place.replica)) {
                let known = (advertised.clone(), to.clone());
                direct.insert(place.replica.clone(), known);
            }
        }
        (places, silent)
    }

    /// What each process but `own` answers to a GET, all at once; nothing from one that is not well.
    pub(super) async fn each(&self, own: &str, path: &str) -> Vec<(String, Option<Bytes>)> {
        let mut all = self.addresses();
        all.remove(own);
        let asked = all.into_iter().map(|(replica, address)| {
            let address = self.past_its_proxy(&replica, address);
            async move { (replica, self.fetch(&address, path).await) }
        });
        join_all(asked).await
    }

    /// Sends a change to one process.
    pub(super) async fn change(
        &self,
        replica: &str,
        (method, path): (Method, &str),
        body: Vec<u8>,
    ) -> Result<Answer, ClusterError> {
        let unreachable = || ClusterError::Unreachable {
            replica: replica.to_owned(),
        };
        let address = self.addresses().remove(replica).ok_or_else(unreachable)?;
        let address = self.past_its_proxy(replica, address);
        let url = format!("http://{address}{path}");
        let json = [("content-type", "application/json")];
        let answer = self.client.send(method, &url, &json, body).await;
        answer.map_err(|_| unreachable())
    }

    /// The address behind the proxy of `replica`, as it has told when its proxy let us through.
    fn past_its_proxy(&self, replica: &str, advertised: String) -> String {
        match self.direct.lock().get(replica) {
            Some((then, direct)) if *then == advertised => direct.clone(),
            _ => advertised,
        }
    }

    pub(super) async fn get(&self, replica: &str, path: &str) -> Result<Bytes, ClusterError> {
        let unreachable = || ClusterError::Unreachable {
            replica: replica.to_owned(),
        };
        let address = self.addresses().remove(replica).ok_or_else(unreachable)?;
        let answer = self.ask(&address, path).await;
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
    pub(super) async fn knobs(&self) -> Vec<KnobView> {
        let mut all: BTreeMap<(String, String), KnobView> = BTreeMap::new();
        for address in self.addresses().into_values() {
            let Some(body) = self.fetch(&address, "/admin/knobs").await else {
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

    /// Waits until every replica of the service that is there shows the setting, for a bounded time.
    /// Answers whether they do.
    pub(super) async fn follow(&self, set: &KnobSet) -> bool {
        let all_show = async {
            while !self.all_show(set).await {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(FOLLOW_WITHIN, all_show).await.is_ok()
    }

    async fn all_show(&self, set: &KnobSet) -> bool {
        let places = self.places().remove(&set.service).unwrap_or_default();
        let each = places.iter().map(|place| self.shows(place, set));
        join_all(each).await.into_iter().all(|shows| shows)
    }

    /// Whether the process at `place` has the setting. Nobody there has no other one; who is silent
    /// may have.
    async fn shows(&self, place: &Endpoint, set: &KnobSet) -> bool {
        let answer = match self.ask(&place.addr.to_string(), "/admin/knobs").await {
            Ok(answer) => answer,
            Err(error) => return is_nobody_there(&error),
        };
        let knobs = answer.json::<Vec<KnobView>>().unwrap_or_default();
        let of = |knob: &&KnobView| knob.service == set.service && knob.name == set.name;
        knobs
            .iter()
            .find(of)
            .is_some_and(|knob| knob.value == set.value)
    }

    /// Asks the replicas of a service until one sets the knob; the others follow by themselves.
    pub(super) async fn set_knob(&self, set: &KnobSet) -> Result<KnobView, ClusterError> {
        let mut places = self.places();
        let Some(endpoints) = places.remove(&set.service) else {
            let known: Vec<String> = places.into_keys().collect();
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

/// A process as its supervisor sees it; where it is, once it has registered.
fn supervised(process: ProcessView, address: Option<String>) -> Replica {
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
