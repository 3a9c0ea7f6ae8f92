//! The one composition function: `up`, `serve` and the tests all start here.

mod apart;
mod one;
mod together;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result};
use bus::{Bus, BusOptions};
use faults::{Faults, FaultyClock};
use kernel::{Ctx, Tasks};
use mesh::MeshRegistry;
use telemetry::{EventKind, OtlpConfig, Sampling, Telemetry};
use web::{ClusterSecret, Ingress, Keys};

use crate::compose::CONSOLE;
use crate::config::{Config, Topology};
use crate::data::DataDir;
use crate::discovery;
use crate::faulty::{self, Stopped};
use crate::host::{Host, Phase};
use crate::keys::{KeyFile, watched};
use crate::ready::Ready;

pub(crate) use crate::running::Running;

/// Everything from outside that a system is started with.
pub struct Env {
    /// Clock and randomness.
    pub ctx: Ctx,
    /// The program that runs the processes of a system that is apart.
    pub exe: PathBuf,
    /// What this process is.
    pub role: Role,
    /// The public listener, when it is there already.
    pub listener: Option<TcpListener>,
    /// Whether to seed example data and drive gentle traffic.
    pub demo: bool,
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Together,
    /// The parent of one process per service.
    Apart,
    /// One service.
    One {
        /// Its name.
        service: &'static str,
        /// Which of its replicas, from 1, when a supervisor counts them.
        replica: Option<u32>,
    },
}

impl Role {
    /// The role of a process that runs the whole system.
    #[must_use]
    pub fn whole(config: &Config) -> Self {
        match config.topology {
            Topology::Together => Self::Together,
            Topology::Apart => Self::Apart,
        }
    }

    /// One process, or one of several.
    pub(crate) fn topology(self) -> Topology {
        match self {
            Self::Together => Topology::Together,
            Self::Apart | Self::One { .. } => Topology::Apart,
        }
    }

    /// Whether `service` is in a process of this role.
    pub(crate) fn runs(self, service: &str) -> bool {
        match self {
            Self::Together => true,
            Self::Apart => service == CONSOLE,
            Self::One { service: own, .. } => service == own,
        }
    }

    fn id(self, ctx: &Ctx) -> String {
        match self {
            Self::Together => "tradewind".to_owned(),
            Self::Apart => "supervisor".to_owned(),
            Self::One {
                service,
                replica: Some(replica),
            } => format!("{service}-{replica}"),
            Self::One {
                service,
                replica: None,
            } => {
                // In containers every process has the same number.
                let id = ctx.new_id().to_string();
                format!("{service}-{}", &id[id.len() - 6..])
            }
        }
    }
}

/// Starts what `env.role` says and answers once it is ready.
pub async fn start(config: Config, env: Env) -> Result<Running> {
    let host = Arc::new(host(config, &env)?);
    faulty::keep(&host);
    let id = host.id.clone();
    host.telemetry.timeline.record(
        EventKind::Start,
        format!("{id} starts"),
        &[("process", &id)],
    );
    match env.role {
        Role::Together => together::start(host, env).await,
        Role::Apart => apart::start(host, env).await,
        Role::One { service, .. } => one::start(host, env, service).await,
    }
}

fn host(config: Config, env: &Env) -> Result<Host> {
    let data = DataDir::open(&config.data)?;
    // What is measured goes by the true clock, what is done by the one that faults set.
    let faults = Faults::new(env.ctx.clone());
    let ctx = FaultyClock::ctx(&env.ctx, &faults);
    let tasks = Tasks::new();
    let finding = Tasks::new();
    let id = env.role.id(&ctx);
    let telemetry = telemetry(&config, &id, &env.ctx, &tasks)?;
    let secret = match &config.cluster.secret {
        Some(secret) => secret.clone(),
        None => data.cluster_secret(&*ctx.random)?,
    };
    let secret = ClusterSecret::new(&secret);
    let keys = watched(KeyFile::at(data.keys_file()), &tasks)?;
    let proxies = config.proxies()?;
    // Beyond loopback nobody is let in for being near.
    let inner_keys = if keys.is_open() && !config.internal.listen.ip().is_loopback() {
        Keys::of(&[])?
    } else {
        keys.clone()
    };
    let ingress =
        |keys: &Keys| Ingress::new(keys.clone(), &*ctx.random).with_cluster(secret.clone());
    let bus = Bus::new(
        &ctx,
        telemetry.metrics.clone(),
        tasks.clone(),
        BusOptions {
            faults: faults.clone(),
            traces: Some(telemetry.traces.clone()),
            ..BusOptions::default()
        },
    );
    let discovery = discovery::of(&config.discovery, &secret, &finding);
    Ok(Host {
        id,
        role: env.role,
        mesh: MeshRegistry::new(ctx.clone(), telemetry.clone(), faults.clone()),
        stopped: Stopped::default(),
        exe: env.exe.clone(),
        faults,
        ingress: ingress(&keys).with_trusted_proxies(&proxies),
        internal_ingress: ingress(&inner_keys),
        started: ctx.now(),
        address: OnceLock::new(),
        public: OnceLock::new(),
        contracts: parking_lot::Mutex::default(),
        direct: OnceLock::new(),
        front: OnceLock::new(),
        phase: Phase::default(),
        keys,
        bus,
        data,
        config,
        ctx,
        telemetry,
        secret,
        tasks,
        pages: Tasks::new(),
        finding,
        proxying: Tasks::new(),
        discovery,
    })
}

fn telemetry(config: &Config, id: &str, ctx: &Ctx, tasks: &Tasks) -> Result<Telemetry> {
    let wanted = &config.telemetry;
    let sampling = Sampling {
        ratio: wanted.sample_percent / 100.0,
        floor_per_s: wanted.sample_min_per_s,
        slow: Duration::from_millis(wanted.slow_ms),
    };
    let telemetry = Telemetry::new(sampling, ctx);
    telemetry::process::register(&telemetry.metrics);
    if let Some(url) = &wanted.otlp_url {
        telemetry
            .traces
            .export(otlp(url, id), tasks)
            .context("telemetry.otlp_url")?;
    }
    Ok(telemetry)
}

fn otlp(url: &str, id: &str) -> OtlpConfig {
    OtlpConfig {
        endpoint: url.to_owned(),
        headers: BTreeMap::new(),
        instance: id.to_owned(),
        resource: BTreeMap::new(),
    }
}

/// The public listener: given, or bound as configured.
fn public_listener(config: &Config, given: Option<TcpListener>) -> Result<TcpListener> {
    let listener = match given {
        Some(listener) => listener,
        None => TcpListener::bind(config.listen).with_context(|| {
            let addr = config.listen;
            format!("cannot listen on {addr}; stop what listens there, or choose with --listen")
        })?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Where everything is, seen from `gateway` and the internal listener at `internal`.
fn ready(host: &Host, gateway: Option<SocketAddr>, internal: SocketAddr) -> Ready {
    let mut urls = BTreeMap::new();
    let mut put = |name: &str, url: String| urls.insert(name.to_owned(), url);
    if let Some(addr) = gateway {
        host.public.get_or_init(|| reachable(addr));
        let base = format!("http://{}", reachable(addr));
        put("links", base.clone());
        put("api", format!("{base}/api"));
        put("openapi", format!("{base}/api/openapi.json"));
        if host.finds(CONSOLE) {
            put("console", format!("{base}/console/"));
        }
        put("gateway", base);
    }
    // Not through a proxy of ours: what it does is ended here.
    let internal = host.direct.get().copied().unwrap_or(internal);
    let base = format!("http://{}", reachable(internal));
    if host.role.runs(CONSOLE) && gateway.is_none() {
        put("console", format!("{base}/console/"));
    }
    put("metrics", format!("{base}/metrics"));
    put("admin", base);
    Ready {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        topology: host.role.topology(),
        urls,
    }
}

/// The address as somebody on this machine writes it.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let mut addr = addr;
    if addr.ip().is_unspecified() {
        let local: std::net::IpAddr = match addr {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        addr.set_ip(local);
    }
    addr
}
