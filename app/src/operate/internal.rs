//! The internal listener of a process: health, metrics, contract calls, administration, and the
//! routes of its services.
//!
//! A request that the gateway hands on (it shows the cluster secret and names another caller) sees
//! the services' routes alone, so that nothing of the rest can be reached from outside.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use kernel::{Code, Principal, Tasks};
use mesh::rpc::RpcServer;
use serde::Serialize;
use tokio::net::TcpListener;
use web::{Body, Handler, Meta, ProblemReply, Request, Response, RouteSpec, Server};
use web::{headers, serve};

use crate::operate::admin::Admin;
use crate::shell::bodies::json;
use crate::shell::host::Host;
use crate::shell::hosted::Hosted;
use crate::shell::traced::traced;

/// What the internal listener answers with.
pub(crate) struct Internal {
    host: Arc<Host>,
    admin: Admin,
    rpc: Arc<dyn Handler>,
    /// Routes of services, the longest first.
    routes: Vec<Mount>,
    /// More paths for processes of this system alone, by their first segment.
    members: Vec<(&'static str, Arc<dyn Handler>)>,
    /// More paths for known callers, by their first segment.
    known: Vec<(&'static str, Arc<dyn Handler>)>,
}

/// A service's way in.
struct Mount {
    /// Without its last slash.
    prefix: String,
    handler: Arc<dyn Handler>,
}

impl Mount {
    fn of(host: &Host, hosted: &Hosted, route: &RouteSpec) -> Self {
        Self {
            prefix: route.prefix.trim_end_matches('/').to_owned(),
            handler: traced(host, hosted),
        }
    }
}

impl Internal {
    /// The paths that every process has, and the routes of the services `here`.
    pub(crate) fn new(host: &Arc<Host>, admin: Admin, here: &[&Hosted]) -> Self {
        let contracts: Vec<_> = here
            .iter()
            .filter_map(|hosted| hosted.dispatch.clone())
            .collect();
        let (ctx, telemetry) = (host.ctx.clone(), host.telemetry.clone());
        let rpc = RpcServer::new(contracts, None, ctx, telemetry);
        let rpc = web::from_fn(move |request| {
            let rpc = rpc.clone();
            async move { rpc.call(request).await.map(Body::stream) }
        });
        let mut routes = Vec::new();
        for hosted in here {
            let mounts = hosted.routes.iter();
            routes.extend(mounts.map(|route| Mount::of(host, hosted, route)));
        }
        routes.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
        Self {
            host: Arc::clone(host),
            admin,
            rpc,
            routes,
            members: Vec::new(),
            known: Vec::new(),
        }
    }

    /// The same with paths that start with `/{segment}`, for processes of this system alone.
    #[must_use]
    pub(crate) fn with(mut self, segment: &'static str, handler: Arc<dyn Handler>) -> Self {
        self.members.push((segment, handler));
        self
    }

    /// The same with paths that start with `/{segment}`, for whoever may administer.
    #[must_use]
    pub(crate) fn with_known(mut self, segment: &'static str, handler: Arc<dyn Handler>) -> Self {
        self.known.push((segment, handler));
        self
    }

    /// The service that `path` belongs to.
    fn service(&self, path: &str) -> Option<&Mount> {
        let covers = |mount: &&Mount| {
            path.strip_prefix(mount.prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.routes.iter().find(covers)
    }

    fn route(&self, request: Request) -> BoxFuture<'static, Response> {
        let meta = Meta::of(&request);
        let path = request.uri().path();
        // Calls of a contract name a caller too, but only the gateway names a client.
        let handed_on = meta.from_cluster && request.headers().contains_key(headers::CLIENT);
        if !handed_on {
            let segment = path.split('/').nth(1).unwrap_or_default();
            match segment {
                "livez" => return ready(json(StatusCode::OK, &Health { state: "up" })),
                "readyz" => return ready(self.readyz()),
                "metrics" => return ready(self.metrics()),
                "rpc" => return self.members_only(&meta, &self.rpc, request),
                "admin" => return self.admin.answer(&meta, request),
                _ => {}
            }
            if let Some((_, handler)) = self.members.iter().find(|(s, _)| *s == segment) {
                return self.members_only(&meta, handler, request);
            }
            if let Some((_, handler)) = self.known.iter().find(|(s, _)| *s == segment) {
                return match web::require(&meta.caller, web::ADMIN) {
                    Ok(()) => handler.call(request),
                    Err(refused) => ready(refused.into_web()),
                };
            }
        }
        match self.service(path) {
            Some(mount) => mount.handler.call(request),
            None => ready(ProblemReply::new(Code::NotFound, "there is nothing here").into_web()),
        }
    }

    /// For processes of this system; on a machine without keys also for whoever is at it.
    fn members_only(
        &self,
        meta: &Meta,
        handler: &Arc<dyn Handler>,
        request: Request,
    ) -> BoxFuture<'static, Response> {
        if meta.from_cluster || meta.caller == Principal::LOCAL {
            return handler.call(request);
        }
        let detail = "this is for processes of the same system; send its cluster secret";
        ready(ProblemReply::new(Code::Unauthenticated, detail).into_web())
    }

    fn readyz(&self) -> Response {
        let state = self.host.phase.name();
        let status = if self.host.phase.is_ready() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        json(status, &Health { state })
    }

    fn metrics(&self) -> Response {
        let mut response = Response::new(Body::from(self.host.telemetry.metrics.render()));
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// Binds the internal listener of `host`. Answers what to serve, which may stand behind a proxy at
/// the address that others know.
pub(crate) async fn bind(host: &Host) -> Result<TcpListener> {
    let wanted = &host.config.internal;
    let addr = wanted.listen;
    let listener = TcpListener::bind(addr).await.with_context(|| {
        format!("cannot listen on {addr}; stop what listens there, or change internal.listen")
    })?;
    let bound = wanted.advertise.unwrap_or(listener.local_addr()?);
    host.address
        .set(bound)
        .ok()
        .context("a process has one internal listener")?;
    if !wanted.proxied {
        return Ok(listener);
    }
    let behind = TcpListener::bind((addr.ip(), 0)).await?;
    let direct = behind.local_addr()?;
    host.direct
        .set(direct)
        .ok()
        .context("a process has one proxy")?;
    proxy::serve(listener, direct.to_string(), &host.faults, &host.proxying);
    Ok(behind)
}

/// Serves `internal` until `tasks` are asked to stop.
pub(crate) fn run(host: &Host, internal: Internal, listener: TcpListener, tasks: &Tasks) {
    let server = Server {
        limits: host.config.gateway.limits.clone(),
        ..Server::new(Arc::new(internal), host.internal_ingress.clone())
    };
    tasks.spawn(serve(listener, server, tasks.clone()));
}

impl Handler for Internal {
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        self.route(request)
    }
}

#[derive(Serialize)]
struct Health {
    state: &'static str,
}

fn ready(response: Response) -> BoxFuture<'static, Response> {
    Box::pin(std::future::ready(response))
}
