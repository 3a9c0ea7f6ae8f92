//! Edges to contracts: in memory when the callee is in this process, over HTTP when it is not.

use std::sync::Arc;

use anyhow::{Context, Result};
use mesh::balance::{Algorithm, Balancer, BalancerConfig};
use mesh::discovery::Discovery;
use mesh::pool::{Pool, PoolConfig};
use mesh::{Dispatch, Edge, HttpTarget};

use crate::settings::config::HandOver;
use crate::shell::host::Host;

/// The edge from `caller` to the contract of `service`, wherever that is.
pub(crate) fn to(host: &Host, caller: &str, service: &str) -> Result<Edge> {
    if !host.role.runs(service) {
        return Ok(remote(host, caller, service, &*host.discovery));
    }
    let dispatch = host.offered(service);
    let dispatch = dispatch.with_context(|| format!("{service} stands before its callers"))?;
    Ok(local(host, caller, dispatch))
}

/// The edge from `caller` to a contract in this process.
fn local(host: &Host, caller: &str, dispatch: Arc<dyn Dispatch>) -> Edge {
    match host.config.hand_over {
        HandOver::Direct => host.mesh.direct(caller, dispatch),
        HandOver::Strict => host.mesh.strict(caller, dispatch),
    }
}

/// The edge from `caller` to the contract of `service` in the processes that `finder` knows.
pub(crate) fn remote(host: &Host, caller: &str, service: &str, finder: &dyn Discovery) -> Edge {
    let balancer = Balancer::new(
        service,
        finder.watch(service),
        Algorithm::P2cEwma.into(),
        BalancerConfig::default(),
        host.ctx.clone(),
    );
    let pool = Pool::new(PoolConfig::default());
    let secret: Arc<str> = host.secret.expose().into();
    let target = HttpTarget::new(balancer, pool).with_secret(Some(secret));
    host.mesh.http(caller, service, target)
}
