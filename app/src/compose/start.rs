//! The one composition function: `up`, `serve` and the tests all start here.

mod apart;
mod one;
mod together;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use kernel::Ctx;
use telemetry::EventKind;

use crate::compose;
use crate::compose::running::Running;
use crate::operate::faulty;
use crate::settings::config::Config;
use crate::settings::ready::Ready;
use crate::shell::host::Host;
use crate::shell::names::CONSOLE;
use crate::shell::role::Role;

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

/// Starts what `env.role` says and answers once it is ready.
pub async fn start(config: Config, env: Env) -> Result<Running> {
    let services = compose::listed(&config);
    let host = Arc::new(Host::open(config, &env.ctx, env.role, services)?);
    let faulty = faulty::keep(&host, &env.exe);
    let id = host.id.clone();
    host.telemetry.timeline.record(
        EventKind::Start,
        format!("{id} starts"),
        &[("process", &id)],
    );
    match env.role {
        Role::Together => together::start(host, faulty, env).await,
        Role::Apart => apart::start(host, faulty, env).await,
        Role::One { service, .. } => one::start(host, faulty, env, service).await,
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
