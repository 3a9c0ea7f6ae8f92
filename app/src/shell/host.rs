//! One process of the system: what its services share, and what they have registered.

mod open;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use bus::Bus;
use cache::{Redis, RedisOptions, Tier};
use faults::Faults;
use gateway::Gateway;
use kernel::{Ctx, Tasks, Timestamp};
use mesh::{Dispatch, MeshRegistry};
use parking_lot::Mutex;
use storage::Db;
use telemetry::Telemetry;
use web::{ClusterSecret, Ingress, Keys, Leave};

use crate::settings::config::Config;
use crate::settings::data::DataDir;
use crate::shell::discovery::Found;
use crate::shell::hosted::Hosted;
use crate::shell::names::Listed;
use crate::shell::role::Role;

/// What a process gives to the services in it.
pub(crate) struct Host {
    /// Its name: `links-2`, or `tradewind` when it is the only one.
    pub(crate) id: String,
    pub(crate) role: Role,
    /// Every service behind the gateway of this system, here and elsewhere.
    pub(crate) services: Vec<Listed>,
    pub(crate) config: Config,
    pub(crate) data: DataDir,
    /// Clock and randomness, as faults let this process see them.
    pub(crate) ctx: Ctx,
    /// What strikes this process on purpose.
    pub(crate) faults: Faults,
    pub(crate) telemetry: Telemetry,
    pub(crate) mesh: MeshRegistry,
    /// Who asks, at every listener of this process.
    pub(crate) ingress: Ingress,
    /// The same at the internal listener, where the cluster secret may be the only key.
    pub(crate) internal_ingress: Ingress,
    pub(crate) keys: Keys,
    pub(crate) secret: ClusterSecret,
    /// Events from and to the services of this process.
    pub(crate) bus: Bus,
    /// Tells whatever has no end of its own that the process is to end.
    pub(crate) leave: Leave,
    /// Knowing where others are, and telling them where we are.
    pub(crate) finding: Tasks,
    /// Work that goes on until the last request is answered.
    pub(crate) tasks: Tasks,
    /// The contracts in this process that a service may call, as they are composed.
    pub(crate) contracts: Mutex<Vec<Arc<dyn Dispatch>>>,
    /// The proxy in front of the internal listener, which ends after what it leads to.
    pub(crate) proxying: Tasks,
    /// The gateway, if it is in this process.
    pub(crate) front: OnceLock<Gateway>,
    /// Where its internal listener is, once it is.
    pub(crate) address: OnceLock<SocketAddr>,
    /// Where the world comes in, once it can and if this process knows.
    pub(crate) public: OnceLock<SocketAddr>,
    /// Where it is behind its proxy, if it has one.
    pub(crate) direct: OnceLock<SocketAddr>,
    pub(crate) phase: Phase,
    pub(crate) started: Timestamp,
    /// Where services in other processes are.
    pub(crate) discovery: Arc<Found>,
}

/// How far a process has come.
#[derive(Debug, Default)]
pub(crate) struct Phase(AtomicU8);

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

impl Phase {
    pub(crate) fn ready(&self) {
        self.0.store(READY, Ordering::Release);
    }

    pub(crate) fn draining(&self) {
        self.0.store(DRAINING, Ordering::Release);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire) == READY
    }

    /// In a word: `starting`, `up` or `draining`.
    pub(crate) fn name(&self) -> &'static str {
        match self.0.load(Ordering::Acquire) {
            STARTING => "starting",
            READY => "up",
            _ => "draining",
        }
    }
}

impl Host {
    /// Opens the database of `service`: its own file, or its own schema.
    pub(crate) async fn database(&self, service: &str) -> Result<Db> {
        let store = &self.config.store;
        let mut options = storage::DbOptions::new(self.schema(service))
            .with_ctx(self.ctx.clone())
            .with_faults(storage::Faults::of(self.faults.clone(), service))
            .with_metrics(self.telemetry.metrics.clone());
        if store.connections_max > 0 {
            options.connections_max = store.connections_max;
        }
        let url = match store.url.as_deref() {
            Some(url) if url.starts_with("postgres") => url.to_owned(),
            Some("sqlite") | None => {
                let path = self.data.join(&format!("{service}.db"));
                format!("sqlite://{}", path.display())
            }
            Some(_) => bail!("store.url: write sqlite, or postgres://user@host/database"),
        };
        Db::open(&url, options)
            .await
            .with_context(|| format!("cannot open the data of {service}"))
    }
}

impl Host {
    /// The name of the schema of `service`.
    pub(crate) fn schema(&self, service: &str) -> String {
        format!("{}{service}", self.config.store.schema_prefix)
    }

    /// What stands behind the memory of caches; one connection per service.
    pub(crate) fn tier(&self) -> Result<Tier> {
        let redis = self
            .config
            .cache
            .url
            .as_deref()
            .filter(|url| url.starts_with("redis:"));
        let Some(url) = redis else {
            return Ok(Tier::Memory);
        };
        let metrics = &self.telemetry.metrics;
        let opened = Redis::open(url, RedisOptions::default(), metrics, &self.tasks);
        Ok(Tier::Redis(opened.context("cache.url")?))
    }

    /// Lets services that are composed later call the contract of `hosted`.
    pub(crate) fn offer(&self, hosted: &Hosted) {
        self.contracts.lock().extend(hosted.dispatch.clone());
    }

    /// The contract of `service`, if it has been composed in this process.
    pub(crate) fn offered(&self, service: &str) -> Option<Arc<dyn Dispatch>> {
        let contracts = self.contracts.lock();
        contracts.iter().find(|c| c.service() == service).cloned()
    }

    /// Where others reach this process.
    pub(crate) fn internal_addr(&self) -> Result<SocketAddr> {
        self.address
            .get()
            .copied()
            .context("the internal listener is not bound yet")
    }

    /// Whether this process can tell where `service` is: in itself, or where discovery says.
    pub(crate) fn finds(&self, service: &str) -> bool {
        self.role.runs(service) || self.discovery.knows(service)
    }

    /// Whether a change needs an API key.
    pub(crate) fn keys_needed(&self) -> bool {
        !self.keys.is_open()
    }
}
