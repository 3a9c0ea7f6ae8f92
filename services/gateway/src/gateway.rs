//! The gateway as a whole: its route table, its services, its listener.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use kernel::{Knobs, Tasks};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::net::TcpListener;
use web::{AccessLog, Drained, Handler, Red, Server};

use crate::choices::Choices;
use crate::front::Front;
use crate::proxy::Proxy;
use crate::route::{Entry, Route, RouteTable, RouteTableError, Target};
use crate::upstream::{Upstream, UpstreamView};
use crate::{Config, Deps, health, worker};

/// What [`crate::build`] gives.
pub struct Parts {
    /// The gateway.
    pub gateway: Gateway,
    /// Its design choices.
    pub knobs: Knobs,
}

/// The gateway. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Gateway(Arc<Core>);

/// What all workers share.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) deps: Deps,
    pub(crate) table: ArcSwap<RouteTable>,
    /// Counts what no route takes.
    pub(crate) unrouted: Red,
    pub(crate) choices: Choices,
    /// By service, so that a change of routes forgets nothing about replicas.
    upstreams: Mutex<HashMap<&'static str, Arc<Upstream>>>,
}

/// A route as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteView {
    /// Only for this host; any if absent.
    pub host: Option<String>,
    /// Paths under this.
    pub prefix: String,
    /// Go to this service.
    pub service: &'static str,
    /// Whether without a socket.
    pub local: bool,
}

impl Core {
    /// Every remote service that a route has led to.
    pub(crate) fn upstreams(&self) -> Vec<Arc<Upstream>> {
        self.upstreams.lock().values().cloned().collect()
    }
}

impl Gateway {
    pub(crate) fn new(config: Config, deps: Deps, choices: Choices) -> Self {
        Self(Arc::new(Core {
            unrouted: Red::new(&deps.telemetry.metrics, "gateway", "none"),
            config,
            deps,
            table: ArcSwap::default(),
            choices,
            upstreams: Mutex::default(),
        }))
    }

    /// From now on exactly these routes. Requests in flight end on the route that they began on.
    pub fn set_routes(&self, routes: Vec<Route>) -> Result<(), RouteTableError> {
        let entries = routes.into_iter().map(|route| self.entry(route)).collect();
        self.0.table.store(Arc::new(RouteTable::new(entries)?));
        Ok(())
    }

    fn entry(&self, route: Route) -> Entry {
        let Route { spec, local } = route;
        let class = match &spec.host {
            Some(host) => format!("{host}{}", spec.prefix),
            None => spec.prefix.clone(),
        };
        let red = Red::new(&self.0.deps.telemetry.metrics, spec.service, &class);
        let target = match local {
            Some(handler) => Target::Local(handler),
            None => Target::Remote(self.upstream(spec.service)),
        };
        Entry { spec, target, red }
    }

    fn upstream(&self, service: &'static str) -> Arc<Upstream> {
        let mut upstreams = self.0.upstreams.lock();
        let new = || {
            Arc::new(Upstream::new(
                service,
                &self.0.deps,
                &self.0.config,
                &self.0.choices,
            ))
        };
        Arc::clone(upstreams.entry(service).or_insert_with(new))
    }

    /// Every route, the most specific first within a host.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteView> {
        let table = self.0.table.load();
        let view = |entry: &Arc<Entry>| RouteView {
            host: entry.spec.host.clone(),
            prefix: entry.spec.prefix.clone(),
            service: entry.spec.service,
            local: matches!(entry.target, Target::Local(_)),
        };
        table.entries().map(view).collect()
    }

    /// Every remote service with its replicas, and why one is out.
    #[must_use]
    pub fn upstreams(&self) -> Vec<UpstreamView> {
        let mut views: Vec<_> = self.0.upstreams().iter().map(|u| u.view()).collect();
        views.sort_by_key(|v| v.service);
        views
    }

    /// A handler that routes, for calls without a listener.
    #[must_use]
    pub fn handler(&self) -> Arc<dyn Handler> {
        let upstream = Arc::new(self.0.config.upstream.clone());
        let proxy = Proxy::new(upstream, self.0.deps.cluster.as_ref());
        Arc::new(Front::new(Arc::clone(&self.0), proxy))
    }

    /// Serves `listener` until `tasks` are asked to stop, then drains.
    pub async fn serve(&self, listener: TcpListener, tasks: &Tasks) -> std::io::Result<Drained> {
        let core = &self.0;
        let server = Server {
            limits: core.config.limits.clone(),
            access_log: AccessLog::sampled(core.config.access_log_one_in),
            traces: Some((core.deps.telemetry.traces.clone(), "gateway")),
            red: core.unrouted.clone(),
            ..Server::new(self.handler(), core.deps.ingress.clone())
        };
        if core.config.health.active {
            tasks.spawn(health::watch(Arc::clone(core), tasks.clone()));
        }
        let servers = worker::split(&server, core.config.worker_count(), || self.handler());
        worker::serve(listener, servers, tasks).await
    }
}
