//! What a person may configure: one TOML file, environment overrides, flags; one struct per concern.
//!
//! Precedence: default < file < environment < flag. Unknown keys are refused, with the nearest name.

mod keys;
mod load;
mod locate;
mod mistake;
mod show;
mod wrong;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use web::{Network, NetworkError};

pub use keys::keys;
pub use load::{Layers, Override, env_name};
pub use mistake::Mistake;
pub use show::{redacted, redacted_url};

/// The whole configuration. Every key has a default, so an empty file is a valid one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where databases, keys and the ready file live.
    pub data: PathBuf,
    /// The address that the world talks to; port 0 takes a free one.
    pub listen: SocketAddr,
    /// One process, or one per service.
    pub topology: Topology,
    /// How a call inside one process travels.
    pub hand_over: HandOver,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks such as `10.0.0.0/8`.
    pub trusted_proxies: Vec<String>,
    /// Threads that run requests, per process; 0 means one per core, at most 8.
    pub workers: usize,
    /// How many processes of each service, by name; only apart.
    pub replicas: BTreeMap<String, u32>,
    /// Where services keep their data.
    pub store: Store,
    /// Where caches keep their second tier.
    pub cache: Cache,
    /// What carries events between processes.
    pub bus: Bus,
    /// What a process says on standard error.
    pub log: Log,
    /// What is measured, kept and exported.
    pub telemetry: TelemetryConfig,
    /// The listener for other processes of this system.
    pub internal: Internal,
    /// How processes of this system trust each other.
    pub cluster: Cluster,
    /// Where other services are found.
    pub discovery: Discovery,
    /// The front door.
    pub gateway: gateway::Config,
    /// Short links.
    pub links: links::Config,
    // new-service: /// The service __name__. || pub __name__: ::__name__::Config,
    /// What only experiments want.
    pub lab: Lab,
    /// How large the services of the lab's stage are; only with `lab.stage`.
    pub stage: ::stage::Config,
}

/// Who can be named in a configuration: whoever puts the services together knows.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Those that can have replicas.
    pub replicated: Vec<&'static str>,
    /// Those that can be found at a place of their own.
    pub placed: Vec<&'static str>,
}

/// How services are spread over processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// Everything in one process.
    #[default]
    Together,
    /// One supervised process per service and replica.
    Apart,
}

/// How a call between two services of one process travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum HandOver {
    /// As a value, without being serialised.
    #[default]
    Direct,
    /// Through the codecs, in memory, as if there were a network.
    Strict,
}

/// Where services keep their data.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// `sqlite` for one file per service in the data directory, or `postgres://user@host/database`
    /// for one schema per service.
    pub url: Option<String>,
    /// Put before each schema's name, so that several systems can share a database.
    pub schema_prefix: String,
    /// Connections to PostgreSQL per process; 0 means the default.
    pub connections_max: usize,
}

/// Where caches keep their second tier.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// `redis://host:port/0`; memory alone unless set.
    pub url: Option<String>,
}

/// What carries events between processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bus {
    /// `nats://host:port`; pushed over the mesh unless set.
    pub url: Option<String>,
    /// The first word of its streams and subjects: two systems on one NATS need different ones.
    pub prefix: String,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            url: None,
            prefix: "tradewind".to_owned(),
        }
    }
}

/// What a process says on standard error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: telemetry::log::LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `warn,links=debug`.
    pub level: String,
}

impl Log {
    pub(crate) fn to_telemetry(&self) -> telemetry::log::LogConfig {
        telemetry::log::LogConfig {
            format: self.format,
            level: self.level.clone(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: telemetry::log::LogFormat::Text,
            level: "warn".to_owned(),
        }
    }
}

/// What is measured, kept and exported.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The OTLP/HTTP collector that traces go to, such as `http://127.0.0.1:4318`.
    pub otlp_url: Option<String>,
    /// The share of requests that leave a trace, in percent.
    pub sample_percent: f64,
    /// So many requests a second leave a trace in any case.
    pub sample_min_per_s: u32,
    /// A request slower than this is slow: its trace is kept longer.
    pub slow_ms: u64,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            otlp_url: None,
            sample_percent: 1.0,
            sample_min_per_s: 5,
            slow_ms: 250,
        }
    }
}

/// The listener for other processes of this system: contract calls, metrics, health, administration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Internal {
    /// Its address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address that others reach it at, when that is not `internal.listen`.
    pub advertise: Option<SocketAddr>,
    /// Whether a proxy stands in front of it, so that faults can strike its connections; on loopback
    /// only.
    pub proxied: bool,
}

impl Default for Internal {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            advertise: None,
            proxied: false,
        }
    }
}

/// How processes of this system trust each other.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// The secret that they share, at least 32 characters; made in the data directory unless set.
    pub secret: Option<String>,
}

/// Where other services are found.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Discovery {
    /// The supervisor's registry, such as `127.0.0.1:7000`.
    pub registry: Option<SocketAddr>,
    /// Fixed addresses by service: `links = ["10.0.0.1:7070", "10.0.0.2:7070"]`.
    pub addresses: BTreeMap<String, Vec<SocketAddr>>,
    /// Names that are resolved again and again, by service: `links = "links.internal:7070"`.
    pub dns: BTreeMap<String, String>,
}

/// What only experiments want.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Lab {
    /// Whether there are three more services, `stage_front`, `stage_back` and `stage_steady`, which do
    /// nothing but take time: the layers of an edge are measured on them, below `/stage`.
    pub stage: bool,
}

/// The port that the gateway listens on unless told.
pub const PORT: u16 = 8080;

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./.tradewind"),
            listen: (Ipv4Addr::LOCALHOST, PORT).into(),
            topology: Topology::default(),
            hand_over: HandOver::default(),
            trusted_proxies: Vec::new(),
            workers: 0,
            replicas: BTreeMap::new(),
            store: Store::default(),
            cache: Cache::default(),
            bus: Bus::default(),
            log: Log::default(),
            telemetry: TelemetryConfig::default(),
            internal: Internal::default(),
            cluster: Cluster::default(),
            discovery: Discovery::default(),
            gateway: gateway::Config::default(),
            links: links::Config::default(),
            // new-service: __name__: ::__name__::Config::default(),
            lab: Lab::default(),
            stage: ::stage::Config::default(),
        }
    }
}

impl Config {
    /// How many processes of `service` run apart.
    #[must_use]
    pub fn replicas_of(&self, service: &str) -> u32 {
        self.replicas.get(service).copied().unwrap_or(1)
    }

    /// The threads that run requests.
    #[must_use]
    pub fn worker_threads(&self) -> usize {
        const WORKERS_MAX: usize = 8;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        if self.workers == 0 {
            cores.min(WORKERS_MAX)
        } else {
            self.workers.min(256)
        }
    }

    /// The proxies whose word about a client is believed.
    pub(crate) fn proxies(&self) -> Result<Vec<Network>, NetworkError> {
        self.trusted_proxies
            .iter()
            .map(|text| text.parse())
            .collect()
    }
}
