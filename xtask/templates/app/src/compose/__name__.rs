//! __Name__: the database with its schema, the parts.

use std::sync::Arc;

use ::__name__::{CONSUMERS, Deps, NAME};
use anyhow::{Context, Result};
use contracts::__name__::__Name__Server;
use futures_util::FutureExt;

use crate::shell::host::Host;
use crate::shell::hosted::{Hosted, Job};
use crate::shell::service::Service;

pub(super) const SERVICE: Service = Service {
    name: NAME,
    routes: |_| ::__name__::routes(),
    openapi: ::__name__::openapi,
    knobs: ::__name__::knobs,
    consumers: CONSUMERS,
    compose: |host| compose(host).boxed(),
};

async fn compose(host: &Arc<Host>) -> Result<Hosted> {
    let db = host.database(NAME).await?;
    db.migrate(::__name__::MIGRATIONS).await.context("cannot prepare the data of __name__")?;
    let deps =
        Deps { ctx: host.ctx.clone(), db: db.clone(), telemetry: host.telemetry.clone() };
    let parts = ::__name__::build(host.config.__name__.clone(), deps);
    let jobs = parts.jobs.into_iter().map(|job| Job { name: job.name, run: job.run });
    let mut hosted = Hosted::page(NAME, parts.routes, parts.handler);
    hosted.dispatch = Some(__Name__Server::new(parts.service));
    hosted.knobs = parts.knobs;
    hosted.db = Some(db);
    hosted.consumers = parts.consumers;
    *hosted.jobs.get_mut() = jobs.collect();
    Ok(hosted)
}
