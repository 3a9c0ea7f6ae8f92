//! A system that is measured: a private one that is started and stopped, or one that runs already.

mod own;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use faults::FaultSpec;
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, patiently};
use crate::error::{Error, Result, failed};
use crate::snapshot::{Measured, Snapshot};
use crate::spec::{SystemSpec, Topology};
use own::Own;

const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// A target that does not answer is given up after this.
const TARGET_WITHIN: Duration = Duration::from_millis(2_500);
/// How long a process that was killed may take to be back; the supervisor waits longer each time.
const WHOLE_WITHIN: Duration = Duration::from_secs(40);
/// For how long a fault is tried that nobody takes.
const STRIKE_WITHIN: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Where a running system is.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its internal address: `http://127.0.0.1:7070`.
    pub url: String,
    /// The API key to show.
    pub key: Option<String>,
}

/// A system under measurement.
pub(crate) struct System {
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) gateway: String,
    admin: String,
    pub(crate) client: Client,
    own: Option<Own>,
    /// Ids of the faults that were begun from here.
    faults: Mutex<Vec<String>>,
}

/// What `/system` answers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Status {
    pub(crate) about: About,
    pub(crate) replicas: Vec<Replica>,
    gateway: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct About {
    pub(crate) topology: String,
    pub(crate) store: String,
    pub(crate) cache: String,
    pub(crate) bus: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Replica {
    id: String,
    pub(crate) services: Vec<String>,
    state: String,
}

/// A knob as `/system/knobs` answers it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Knob {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) default: String,
}

impl Knob {
    /// Its name in files: `links.cache`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.service, self.name)
    }
}

/// A fault that has begun.
#[derive(Deserialize)]
struct Begun {
    id: String,
}

#[derive(Serialize)]
struct KnobSet<'a> {
    service: &'a str,
    name: &'a str,
    value: &'a str,
}

impl System {
    /// Starts `program` as `spec` says, with its data in `folder`, unless `cancel` comes before it
    /// is ready.
    pub(crate) async fn start(
        program: &Path,
        name: &str,
        spec: &SystemSpec,
        folder: PathBuf,
        cancel: &CancellationToken,
    ) -> Result<Self> {
        let mut own = Own::spawn(program, spec, folder)?;
        let begun = tokio::select! {
            begun = own.begun() => begun,
            () = cancel.cancelled() => Err(Error::Ended),
        };
        match begun {
            Ok((admin, client, status)) => Self::at(name, admin, client, status, Some(own)),
            Err(error) => {
                own.stop().await;
                Err(error)
            }
        }
    }

    /// A system that runs already.
    pub(crate) async fn join(target: &Target) -> Result<Self> {
        let admin = target.url.trim_end_matches('/').to_owned();
        let first = Client::new(target.key.clone(), TARGET_WITHIN);
        let url = format!("{admin}/system");
        let answer = first.send(Method::GET, &url, Vec::new()).await;
        let refused = matches!(&answer, Ok(a) if a.status == StatusCode::UNAUTHORIZED);
        let status = answer.and_then(|answer| answer.json(&url));
        let status = status.map_err(|error| {
            Error::Bad(match refused {
                true => format!("{error}; show a key of that system: --key KEY, or TRADEWIND_KEY"),
                false => format!(
                    "{error}; --target takes the internal address of a running system, which \
                     'tradewind up' prints as admin"
                ),
            })
        })?;
        let client = Client::new(target.key.clone(), ANSWER_WITHIN);
        Self::at("target", admin, client, status, None)
    }

    fn at(
        name: &str,
        admin: String,
        client: Client,
        status: Status,
        own: Option<Own>,
    ) -> Result<Self> {
        let gateway = status
            .gateway
            .clone()
            .ok_or_else(|| failed(&admin, "it does not know where its gateway is"))?;
        Ok(Self {
            name: name.to_owned(),
            status,
            gateway,
            admin,
            client,
            own,
            faults: Mutex::default(),
        })
    }

    /// Waits until every process of it works: a trial may have killed one.
    pub(crate) async fn whole(&self) -> Result<()> {
        let start = Instant::now();
        let url = self.at_admin("/system");
        loop {
            let status: Status = patiently(async || self.client.get(&url).await).await?;
            match status.replicas.iter().find(|replica| replica.state != "up") {
                None => return Ok(()),
                Some(down) if start.elapsed() > WHOLE_WITHIN => {
                    return Err(Error::Failed(format!("{} does not come back", down.id)));
                }
                Some(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// Whether it was started here.
    pub(crate) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Every knob with its setting.
    pub(crate) async fn knobs(&self) -> Result<Vec<Knob>> {
        self.client.get(&self.at_admin("/system/knobs")).await
    }

    /// Turns a knob, everywhere.
    pub(crate) async fn turn(&self, knob: &str, value: &str) -> Result<()> {
        let (service, name) = knob.split_once('.').unwrap_or((knob, ""));
        let set = KnobSet {
            service,
            name,
            value,
        };
        let _: serde_json::Value = self.post("/system/knobs", &set).await?;
        Ok(())
    }

    /// Sends JSON to the system's own API.
    pub(crate) async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let url = self.at_admin(path);
        self.client.put(Method::POST, &url, body).await
    }

    /// Begins a fault.
    pub(crate) async fn inject(&self, fault: &FaultSpec) -> Result<()> {
        let start = Instant::now();
        loop {
            let begun: Result<Begun> = self.post("/system/faults", fault).await;
            match begun {
                Ok(begun) => {
                    self.faults.lock().push(begun.id);
                    return Ok(());
                }
                // Whom it is meant for may not have answered in time, and then nobody took it.
                Err(_) if start.elapsed() < STRIKE_WITHIN => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends the faults that were begun from here, and no others.
    pub(crate) async fn end_faults(&self) -> Result<()> {
        let ids = std::mem::take(&mut *self.faults.lock());
        for id in ids {
            let url = self.at_admin(&format!("/system/faults/{id}"));
            // One that is not known any more has ended by itself.
            let end = async || self.client.send(Method::DELETE, &url, Vec::new()).await;
            patiently(end).await?;
        }
        Ok(())
    }

    /// What its processes have counted.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        let url = self.at_admin("/system/metrics");
        let all: Vec<Measured> = patiently(async || self.client.get(&url).await).await?;
        Ok(Snapshot::of(&all))
    }

    pub(crate) fn at_admin(&self, path: &str) -> String {
        format!("{}{path}", self.admin)
    }

    /// What it is, for a report.
    pub(crate) async fn view(&self, spec: &SystemSpec) -> reports::System {
        let mut replicas = BTreeMap::new();
        for replica in &self.status.replicas {
            for service in &replica.services {
                *replicas.entry(service.clone()).or_insert(0) += 1;
            }
        }
        // Who is called as soon as anybody has asked.
        let edges = self.snapshot().await.map(|snapshot| snapshot.edges());
        let about = &self.status.about;
        reports::System {
            name: self.name.clone(),
            topology: match spec.topology {
                Topology::Strict if self.is_own() => "strict".to_owned(),
                _ => about.topology.clone(),
            },
            store: about.store.clone(),
            cache: about.cache.clone(),
            bus: about.bus.clone(),
            replicas,
            edges: edges.unwrap_or_default(),
        }
    }

    /// Ends it, if it was started here, and removes its data.
    pub(crate) async fn stop(mut self) {
        if let Some(own) = self.own.take() {
            own.stop().await;
        }
    }
}
