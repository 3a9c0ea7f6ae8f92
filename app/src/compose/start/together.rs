//! Everything in one process: the gateway hands requests to services without a socket.

use std::sync::Arc;

use anyhow::Result;
use kernel::Tasks;

use super::{Env, public_listener, ready};
use crate::compose::running::Running;
use crate::compose::{self, demo, front};
use crate::operate::admin::Admin;
use crate::operate::cluster::System;
use crate::operate::faulty::Faulty;
use crate::operate::internal::{self, Internal};
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;
use crate::shell::{carriers, edges, parts};

pub(super) async fn start(host: Arc<Host>, faulty: Faulty, env: Env) -> Result<Running> {
    // Bound first: an address that is taken is told before anything is opened.
    let public = public_listener(&host.config, env.listener)?;
    let gateway_addr = public.local_addr()?;
    let listener = internal::bind(&host).await?;
    let mut hosted = Vec::new();
    for service in compose::services(&host.config) {
        let service = (service.compose)(&host).await?;
        host.offer(&service);
        hosted.push(service);
    }
    let (gateway, front) = compose::gateway(&host).await?;
    hosted.push(front);
    let services: Arc<[Hosted]> = hosted.into();
    let admin = Admin::new(Arc::clone(&host), Arc::clone(&services), faulty);
    let system = Arc::new(System {
        host: Arc::clone(&host),
        admin: admin.clone(),
        has_page: true,
        others: None,
    });
    let console = compose::console(&host, Arc::clone(&system));
    let here: Vec<&Hosted> = services.iter().chain([&console]).collect();
    compose::route(&host, &gateway, &here)?;
    parts::run(&host, &services).await?;
    let internal = Internal::new(&host, admin, &here)
        .with_known("system", system.handler())
        .with("bus", carriers::inlet(&host));
    let (inner, outer) = (Tasks::new(), Tasks::new());
    internal::run(&host, internal, listener, &inner);
    front::serve(gateway, public, &outer)?;
    if env.demo {
        let edge = edges::to(&host, demo::NAME, links::NAME)?;
        demo::start(&host, edge, gateway_addr).await;
    }
    host.phase.ready();
    let ready = ready(&host, Some(gateway_addr), host.internal_addr()?);
    Ok(Running {
        host,
        ready,
        outer,
        inner,
        supervisor: None,
    })
}
