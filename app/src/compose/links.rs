//! Short links: the database with its schema, the cache's tier, the parts.

use std::sync::Arc;

use anyhow::{Context, Result};
use contracts::links::LinksServer;
use futures_util::FutureExt;
use links::{Deps, Parts};

use crate::shell::host::Host;
use crate::shell::hosted::{Hosted, Job};
use crate::shell::service::Service;

pub(super) const SERVICE: Service = Service {
    name: links::NAME,
    routes: |_| links::routes(),
    openapi: links::openapi,
    knobs: links::knobs,
    // Its consumers hear its own events, each replica for itself.
    consumers: &[],
    compose: |host| compose(host).boxed(),
};

async fn compose(host: &Arc<Host>) -> Result<Hosted> {
    let db = host.database(links::NAME).await?;
    db.migrate(links::MIGRATIONS)
        .await
        .context("cannot prepare the data of links")?;
    let mut config = host.config.links.clone();
    // Whoever opens the bare address in a browser wants to see the system.
    config
        .root_url
        .get_or_insert_with(|| "/console/".to_owned());
    let parts: Parts = links::build(
        config,
        Deps {
            ctx: host.ctx.clone(),
            db: db.clone(),
            tier: host.tier()?,
            telemetry: host.telemetry.clone(),
        },
    );
    let jobs = parts.jobs.into_iter().map(|job| Job {
        name: job.name,
        run: job.run,
    });
    let mut hosted = Hosted::page(links::NAME, parts.routes, parts.handler);
    hosted.dispatch = Some(LinksServer::new(parts.service));
    hosted.knobs = parts.knobs;
    hosted.db = Some(db);
    hosted.consumers = parts.consumers;
    *hosted.jobs.get_mut() = jobs.collect();
    Ok(hosted)
}
