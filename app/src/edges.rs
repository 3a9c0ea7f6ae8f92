//! Edges to contracts: in memory when the callee is in this process, over HTTP when it is not.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use mesh::balance::{Algorithm, Balancer, BalancerConfig};
use mesh::discovery::Discovery;
use mesh::pool::{Pool, PoolConfig};
use mesh::{Codec, Dispatch, Edge, HttpTarget};

use crate::config::HandOver;
use crate::host::Host;

/// The edge from `caller` to the contract of `service` in this process.
pub(crate) fn local(host: &Host, caller: &str, dispatch: Arc<dyn Dispatch>) -> Edge {
    match host.config.hand_over {
        HandOver::Direct => host.mesh.direct(caller, dispatch),
        HandOver::Strict => host.mesh.strict(caller, dispatch, Codec::Json),
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
    let pool: Pool<Full<Bytes>> = Pool::new(PoolConfig::default());
    let secret: Arc<str> = host.secret.expose().into();
    let target = HttpTarget::new(balancer, pool).with_secret(Some(secret));
    host.mesh.http(caller, service, target)
}
