//! One process per service and replica; this one supervises them, keeps the registry, and shows the
//! console.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use kernel::Tasks;
use mesh::discovery::{Discovery as _, Registration, Registry, RegistryClient};
use parking_lot::Mutex;

use super::{Env, public_listener, ready};
use crate::compose;
use crate::compose::demo;
use crate::compose::running::Running;
use crate::operate::admin::Admin;
use crate::operate::cluster::{Others, System};
use crate::operate::faulty::Faulty;
use crate::operate::internal::{self, Internal};
use crate::operate::registry;
use crate::operate::supervisor::{Launcher, PublicListener, Spec, State, Supervisor};
use crate::settings::config::env_name;
use crate::settings::data::write_private;
use crate::shell::edges;
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;
use crate::shell::names::{CONSOLE, GATEWAY};

/// How long every process may take to be there.
const READY_WITHIN: Duration = Duration::from_secs(30);
const LEASE_MS: u64 = 60_000;

pub(super) async fn start(host: Arc<Host>, faulty: Faulty, env: Env) -> Result<Running> {
    let public = public_listener(&host.config, env.listener)?;
    let gateway_addr = public.local_addr()?;
    let listener = internal::bind(&host).await?;
    let registry = Registry::new();
    registry::keep(&registry, &host);
    let inner = Tasks::new();
    let specs = specs(&host);
    let launcher = Launcher {
        exe: env.exe.clone(),
        config: child_config(&host)?,
        environment: vec![(env_name("cluster.secret"), host.secret.expose().to_owned())],
        listener: PublicListener(Mutex::new(Some(public))),
    };
    let supervisor = Arc::new(Supervisor::new(&specs, launcher, &host));
    let services: Arc<[Hosted]> = Arc::new([]);
    let admin = Admin::new(Arc::clone(&host), services, faulty);
    let others = Others::supervised(
        Arc::clone(&supervisor),
        registry.clone(),
        host.secret.clone(),
    );
    let system = Arc::new(System {
        host: Arc::clone(&host),
        admin: admin.clone(),
        has_page: true,
        others: Some(others),
    });
    let console = compose::console(&host, Arc::clone(&system));
    let internal = Internal::new(&host, admin, &[&console])
        .with_known("system", system.handler())
        .with(
            "registry",
            registry::handler(registry.clone(), host.ctx.clone(), &inner),
        );
    internal::run(&host, internal, listener, &inner);
    let addr = host.internal_addr()?;
    let (service, id) = (CONSOLE.to_owned(), host.id.as_str().into());
    let page = Registration {
        service,
        id,
        addr,
        weight: 1,
        lease_ms: LEASE_MS,
    };
    // Ready as far as the page goes; the gateway asks before it sends anybody here.
    host.phase.ready();
    registry::hold(&registry, page, &host);
    supervisor.start(&registry, &host);
    all_there(&registry, &supervisor, &specs).await?;
    if env.demo {
        start_demo(&host, addr, gateway_addr).await;
    }
    let ready = ready(&host, Some(gateway_addr), addr);
    Ok(Running {
        host,
        ready,
        outer: Tasks::new(),
        inner,
        supervisor: Some(supervisor),
    })
}

/// Starts the demo, which finds links as every process does: by the registry at `addr`.
async fn start_demo(host: &Host, addr: SocketAddr, gateway: SocketAddr) {
    let secret: Arc<str> = host.secret.expose().into();
    let finder = RegistryClient::start(addr, Some(secret), &host.tasks);
    // Whoever calls before the registry's first answer finds nobody, and the first link is missing.
    let mut endpoints = finder.watch(links::NAME);
    let known = endpoints.wait_for(|known| !known.is_empty());
    if tokio::time::timeout(READY_WITHIN, known).await.is_err() {
        tracing::warn!("the registry does not tell the demo where links is");
    }
    let edge = edges::remote(host, demo::NAME, links::NAME, &finder);
    demo::start(host, edge, gateway).await;
}

/// Every process, the gateway last: what it needs is on its way by then.
fn specs(host: &Host) -> Vec<Spec> {
    let replicas = |service: &'static str| {
        (1..=host.config.replicas_of(service)).map(move |replica| Spec { service, replica })
    };
    let mut specs: Vec<Spec> = compose::services(&host.config)
        .flat_map(|service| replicas(service.name))
        .collect();
    specs.push(Spec {
        service: GATEWAY,
        replica: 1,
    });
    specs
}

/// Writes what this process was started with for its children to read.
fn child_config(host: &Host) -> Result<std::path::PathBuf> {
    let mut config = host.config.clone();
    config.data = host.data.path().to_owned();
    // The secret goes by the environment, so that this file is of no use to who finds it.
    config.cluster.secret = None;
    config.internal.listen.set_port(0);
    config.internal.advertise = None;
    config.discovery.registry = Some(host.internal_addr()?);
    let path = host.data.join("apart.toml");
    write_private(&path, toml::to_string(&config)?.as_bytes())?;
    Ok(path)
}

/// Waits until every process has registered.
async fn all_there(registry: &Registry, supervisor: &Supervisor, specs: &[Spec]) -> Result<()> {
    let start = Instant::now();
    let mut version = None;
    loop {
        let view = registry.poll(version, Duration::from_millis(100)).await;
        version = Some(view.version);
        let known = view.services.values().flatten().count();
        // And this process itself, for the console.
        if known > specs.len() {
            return Ok(());
        }
        let looping = supervisor
            .processes()
            .into_iter()
            .find(|p| p.state == State::Looping);
        if let Some(process) = looping {
            let end = process.last_end.unwrap_or_default();
            supervisor.stop_all(Duration::from_secs(1)).await;
            bail!(
                "{} {end} again and again; its log lines above say why",
                process.id
            );
        }
        if start.elapsed() > READY_WITHIN {
            supervisor.stop_all(Duration::from_secs(1)).await;
            bail!("not every process was ready within {READY_WITHIN:?}");
        }
    }
}
