//! __Name__: its configuration, its deps, its parts.

use std::sync::Arc;

use ::__name__::{CONSUMERS, Deps, NAME};
use anyhow::{Context, Result};
use contracts::__name__::__Name__Server;

use crate::compose::Service;
use crate::host::{Host, Hosted};

/// The service as the program knows it.
pub(crate) const SERVICE: Service = Service {
    name: NAME,
    routes: |_| ::__name__::routes(),
    openapi: ::__name__::openapi,
    consumers: CONSUMERS,
    compose: |host| Box::pin(compose(host)),
};

async fn compose(host: &Arc<Host>) -> Result<Hosted> {
    let db = host.database(NAME).await?;
    let deps = Deps { ctx: host.ctx.clone(), db: db.clone() };
    let parts = ::__name__::build(host.config.__name__.clone(), deps);
    db.migrate(parts.migrations).await.context("cannot prepare the data of __name__")?;
    Ok(Hosted {
        name: NAME,
        routes: parts.routes,
        handler: parts.handler,
        dispatch: Some(__Name__Server::new(parts.service)),
        knobs: parts.knobs,
        db: Some(db),
        consumers: parts.consumers,
        jobs: Some(parts.jobs),
    })
}
