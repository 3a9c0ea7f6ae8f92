//! Short links.

use std::sync::Arc;

use anyhow::{Result, bail};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use web::RouteSpec;

use crate::compose::Service;
use crate::host::{Host, Hosted};

pub(super) const SERVICE: Service = Service {
    name: "links",
    routes: |_| vec![RouteSpec::any_host("/", "links"), RouteSpec::any_host("/api/links", "links")],
    openapi: utoipa::openapi::OpenApi::default,
    consumers: &[],
    compose: |host| compose(host).boxed(),
};

async fn compose(host: &Arc<Host>) -> Result<Hosted> {
    let handler = web::from_fn(|_| async { web::Response::default() });
    let mut h = Hosted::page("links", (SERVICE.routes)(&host.config), handler);
    let db = host.database("links").await?;
    db.migrate(&[]).await?;
    h.db = Some(db);
    Ok(h)
}
