//! The gateway: knows every service's routes, each to a handler in this process or to replicas.

use std::sync::Arc;

use anyhow::{Context, Result};
use gateway::{Gateway, Route};
use utoipa::openapi::OpenApi;
use web::RouteSpec;

use crate::compose::services;
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;
use crate::shell::names::{CONSOLE, GATEWAY};
use crate::shell::strict;
use crate::shell::traced::traced;

/// The front door of this process, without routes yet.
pub(crate) async fn compose(host: &Host) -> Result<(Gateway, Hosted)> {
    let parts = gateway::build(
        host.config.gateway.clone(),
        gateway::Deps {
            ctx: host.ctx.clone(),
            telemetry: host.telemetry.clone(),
            ingress: host.ingress.clone(),
            discovery: Arc::clone(&host.discovery) as _,
            cluster: Some(host.secret.clone()),
            faults: host.faults.clone(),
        },
    );
    let db = host.database(GATEWAY).await?;
    db.migrate(&[])
        .await
        .context("cannot prepare the data of the gateway")?;
    let mut hosted = Hosted::page(GATEWAY, Vec::new(), parts.gateway.handler());
    // For its administration: where it sends requests, and why a replica is out.
    let first = host.front.set(parts.gateway.clone()).is_ok();
    debug_assert!(first, "a process has one gateway");
    hosted.knobs = parts.knobs;
    hosted.db = Some(db);
    Ok((parts.gateway, hosted))
}

/// Routes every service's requests: to a handler among `here`, or to replicas elsewhere.
pub(crate) fn route(host: &Host, gateway: &Gateway, here: &[&Hosted]) -> Result<()> {
    let mut routes = vec![document(host)];
    for (name, specs) in all_routes(host) {
        let local = here.iter().find(|hosted| hosted.name == name);
        routes.extend(specs.into_iter().map(|spec| match local {
            Some(hosted) => Route::local(spec, strict::hand_over(host, &traced(host, hosted))),
            None => Route::remote(spec),
        }));
    }
    Ok(gateway.set_routes(routes)?)
}

/// Every service with the requests that are its own.
fn all_routes(host: &Host) -> Vec<(&'static str, Vec<RouteSpec>)> {
    let mut all: Vec<_> = services(&host.config)
        .map(|service| (service.name, (service.routes)(&host.config)))
        .collect();
    all.push((CONSOLE, vec![RouteSpec::any_host("/console", CONSOLE)]));
    all
}

/// The merged document of every service's API, which the gateway answers by itself.
fn document(host: &Host) -> Route {
    let documents = services(&host.config).map(|service| (service.openapi)());
    let mut document = documents.reduce(merged).unwrap_or_default();
    "Tradewind".clone_into(&mut document.info.title);
    Route::local(
        RouteSpec::any_host("/api/openapi.json", GATEWAY),
        web::openapi_json(&document),
    )
}

fn merged(mut all: OpenApi, more: OpenApi) -> OpenApi {
    all.merge(more);
    all
}
