//! A system that is measured: a private one that is started and stopped, or one that runs already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use faults::FaultSpec;
use http::{Method, StatusCode};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::error::{Error, Result, failed};
use crate::snapshot::{Measured, Snapshot};
use crate::spec::{Backends, SystemSpec, Topology};

/// How long a system may take until it is ready; private servers are slow to start.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How long it may take to end when it is asked to.
const END_WITHIN: Duration = Duration::from_secs(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// A target that does not answer is given up after this.
const TARGET_WITHIN: Duration = Duration::from_millis(2_500);
/// How long a process that was killed may take to be back; the supervisor waits longer each time.
const WHOLE_WITHIN: Duration = Duration::from_secs(40);
/// How much of a log is shown when a system fails.
const LOG_LINES: usize = 5;

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

/// A system that was started here.
struct Own {
    child: Child,
    folder: PathBuf,
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

#[derive(Deserialize)]
struct Ready {
    admin: String,
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
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|e| failed(folder.display(), e))?;
        let ready = folder.join("ready.json");
        let log = std::fs::File::create(folder.join("log"));
        let log = log.map_err(|error| failed(folder.display(), error))?;
        let mut command = Command::new(program);
        command
            .arg("up")
            .args(["--listen", "127.0.0.1:0", "--leash", "--json", "--data"])
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .args(flags(spec))
            .envs(environment(spec)?)
            .current_dir(&folder)
            // Held open as long as we live: its end ends the system.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TRADEWIND_") && !set(spec, &name) {
                command.env_remove(name);
            }
        }
        let child = command.spawn().map_err(|e| failed(program.display(), e))?;
        let mut own = Own { child, folder };
        let begun = tokio::select! {
            begun = own.begun(&ready) => begun,
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
        loop {
            let status: Status = self.client.get(&self.at_admin("/system")).await?;
            match status.replicas.iter().find(|replica| replica.state != "up") {
                None => return Ok(()),
                Some(down) if start.elapsed() > WHOLE_WITHIN => {
                    return Err(Error::Failed(format!("{} does not come back", down.id)));
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(50)).await,
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
        let begun: Begun = self.post("/system/faults", fault).await?;
        self.faults.lock().push(begun.id);
        Ok(())
    }

    /// Ends the faults that were begun from here, and no others.
    pub(crate) async fn end_faults(&self) -> Result<()> {
        let ids = std::mem::take(&mut *self.faults.lock());
        for id in ids {
            let url = self.at_admin(&format!("/system/faults/{id}"));
            // One that is not known any more has ended by itself.
            self.client.send(Method::DELETE, &url, Vec::new()).await?;
        }
        Ok(())
    }

    /// What its processes have counted.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        let all: Vec<Measured> = self.client.get(&self.at_admin("/system/metrics")).await?;
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

impl Own {
    /// Where it is administered, and what it is, as soon as it is ready.
    async fn begun(&mut self, ready: &Path) -> Result<(String, Client, Status)> {
        let Ready { admin } = self.ready(ready).await?;
        let client = Client::new(None, ANSWER_WITHIN);
        let status = client.get(&format!("{admin}/system")).await?;
        Ok((admin, client, status))
    }

    async fn ready(&mut self, file: &Path) -> Result<Ready> {
        let start = Instant::now();
        loop {
            let text = std::fs::read(file).unwrap_or_default();
            if let Ok(ready) = serde_json::from_slice(&text) {
                return Ok(ready);
            }
            let ended = self.child.try_wait().map_err(|e| failed("the system", e))?;
            if ended.is_some() || start.elapsed() > READY_WITHIN {
                let why = if ended.is_some() {
                    "ended"
                } else {
                    "was not ready in time"
                };
                return Err(Error::Failed(format!("the system {why}: {}", self.log())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join(" | ")
    }

    async fn stop(mut self) {
        // Waiting lets go of it otherwise, which tells the system a second time: it would hurry, and
        // leave its processes behind.
        let leash = self.child.stdin.take();
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        let group = pid.map(Pid::from_raw);
        if let Some(leader) = group {
            let _ = kill(leader, Signal::SIGTERM);
        }
        if tokio::time::timeout(END_WITHIN, self.child.wait())
            .await
            .is_err()
        {
            // Whatever it has started has its group.
            if let Some(group) = group {
                let _ = killpg(group, Signal::SIGKILL);
            }
            let _ = self.child.wait().await;
        }
        drop(leash);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn flags(spec: &SystemSpec) -> Vec<String> {
    let mut flags = Vec::new();
    match spec.topology {
        Topology::Together => {}
        Topology::Strict => flags.push("--strict".to_owned()),
        Topology::Apart => flags.push("--apart".to_owned()),
    }
    for (service, count) in &spec.replicas {
        flags.extend(["--replicas".to_owned(), format!("{service}={count}")]);
    }
    if spec.backends == Backends::Local {
        flags.extend(["--backends", "local"].map(str::to_owned));
    }
    flags
}

/// Configuration keys as environment variables: `store.url` is `TRADEWIND__STORE__URL`.
fn environment(spec: &SystemSpec) -> Result<Vec<(String, String)>> {
    let variable = |(key, value): (&String, &toml::Value)| {
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Table(_) | toml::Value::Datetime(_) => {
                return Err(Error::Bad(format!(
                    "config.{key} is a text, number, list or flag"
                )));
            }
            other => other.to_string(),
        };
        Ok((variable(key), text))
    };
    spec.config.iter().map(variable).collect()
}

fn variable(key: &str) -> String {
    format!("TRADEWIND__{}", key.to_uppercase().replace('.', "__"))
}

fn set(spec: &SystemSpec, name: &std::ffi::OsStr) -> bool {
    spec.config.keys().any(|key| variable(key).as_str() == name)
}
