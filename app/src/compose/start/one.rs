//! One service in a process of its own; the others are elsewhere.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use gateway::Gateway;
use kernel::Tasks;
use mesh::discovery::{Discovery as _, Registration};

use super::{Env, public_listener, ready};
use crate::compose;
use crate::compose::front;
use crate::compose::running::Running;
use crate::operate::admin::Admin;
use crate::operate::cluster::{Others, System};
use crate::operate::faulty::Faulty;
use crate::operate::internal::{self, Internal};
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;
use crate::shell::names::{CONSOLE, GATEWAY};
use crate::shell::{carriers, parts};

/// How long the others believe in this process without hearing from it.
const LEASE_MS: u64 = 3_000;
/// How long the gateway waits for each of the others at its start.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn start(
    host: Arc<Host>,
    faulty: Faulty,
    env: Env,
    service: &'static str,
) -> Result<Running> {
    let listener = internal::bind(&host).await?;
    let (gateway, hosted) = match service {
        GATEWAY => {
            let (gateway, hosted) = compose::gateway(&host).await?;
            compose::route(&host, &gateway, &[])?;
            (Some(gateway), Some(hosted))
        }
        CONSOLE => (None, None),
        _ => {
            let service =
                compose::service(&host.config, service).context("there is no such service")?;
            (None, Some((service.compose)(&host).await?))
        }
    };
    let services: Arc<[Hosted]> = hosted.into_iter().collect();
    let admin = Admin::new(Arc::clone(&host), Arc::clone(&services), faulty);
    let system = Arc::new(system(&host, &admin, service));
    let page = (service == CONSOLE).then(|| compose::console(&host, Arc::clone(&system)));
    parts::run(&host, &services).await?;
    let here: Vec<&Hosted> = services.iter().chain(&page).collect();
    let internal = Internal::new(&host, admin, &here)
        .with_known("system", system.handler())
        .with("bus", carriers::inlet(&host));
    let (inner, outer) = (Tasks::new(), Tasks::new());
    internal::run(&host, internal, listener, &inner);
    let public = match gateway {
        Some(gateway) => Some(open(&host, gateway, env, &outer).await?),
        None => None,
    };
    host.phase.ready();
    announce(&host, service)?;
    let ready = ready(&host, public, host.internal_addr()?);
    Ok(Running {
        host,
        ready,
        outer,
        inner,
        supervisor: None,
    })
}

/// The system as this process sees it: whole for the console, which asks the others.
fn system(host: &Arc<Host>, admin: &Admin, service: &str) -> System {
    let has_page = service == CONSOLE;
    let found = || Others::found(host);
    System {
        host: Arc::clone(host),
        admin: admin.clone(),
        has_page,
        others: has_page.then(found),
    }
}

/// Opens the door once it is known where to lead those who come; until then they wait in its queue.
async fn open(
    host: &Host,
    gateway: Gateway,
    env: Env,
    outer: &Tasks,
) -> Result<std::net::SocketAddr> {
    let public = public_listener(&host.config, env.listener)?;
    let addr = public.local_addr()?;
    if host.discovery.registry.is_some() {
        everybody_known(host).await;
    }
    front::serve(gateway, public, outer)?;
    Ok(addr)
}

/// Waits until the registry has told where every service is: until then requests would find nobody.
async fn everybody_known(host: &Host) {
    let names = compose::services(&host.config).map(|service| service.name);
    for name in names.chain([CONSOLE]) {
        let mut endpoints = host.discovery.watch(name);
        let known = endpoints.wait_for(|known| !known.is_empty());
        if tokio::time::timeout(KNOWN_WITHIN, known).await.is_err() {
            tracing::warn!(
                service = name,
                "nobody answers for it yet; going on without"
            );
        }
    }
}

/// Tells the registry, if there is one, where this process is.
fn announce(host: &Host, service: &str) -> Result<()> {
    if let Some(registry) = &host.discovery.registry {
        registry.announce(Registration {
            service: service.to_owned(),
            id: host.id.as_str().into(),
            addr: host.internal_addr()?,
            weight: 1,
            lease_ms: LEASE_MS,
        });
    }
    Ok(())
}
