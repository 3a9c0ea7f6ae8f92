//! Example data and gentle traffic, so that the first look shows a system that lives.

mod seed;
mod traffic;

use std::net::SocketAddr;

use contracts::links::LinksClient;
use mesh::Edge;

use crate::shell::host::Host;

/// Who the demo is on the map.
pub(crate) const NAME: &str = "demo";

/// Seeds example links over `edge`, and visits them through the gateway until the host ends.
pub(crate) async fn start(host: &Host, edge: Edge, gateway: SocketAddr) {
    let links = LinksClient(edge);
    let codes = seed::links(host, &links).await;
    let (ctx, tasks) = (host.ctx.clone(), host.tasks.clone());
    host.tasks
        .spawn(traffic::run(gateway, codes, links, ctx, tasks));
}
