//! The lab's stage: a front and its two callees, over edges like any other's.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::FutureExt;
use kernel::{Code, Knobs};
use mesh::Dispatch;
use stage::{BACK, BackClient, BackServer, Callee, FRONT, FrontDeps, STEADY};
use stage::{SteadyClient, SteadyServer};
use utoipa::openapi::OpenApi;
use web::{Handler, ProblemReply};

use crate::shell::edges;
use crate::shell::host::Host;
use crate::shell::hosted::{Hosted, Job};
use crate::shell::service::Service;

/// Who is called stands before the caller.
pub(super) const SERVICES: &[Service] = &[
    Service {
        name: BACK,
        routes: |_| Vec::new(),
        openapi: OpenApi::default,
        consumers: &[],
        knobs: stage::knobs,
        compose: |host| back(host).boxed(),
    },
    Service {
        name: STEADY,
        routes: |_| Vec::new(),
        openapi: OpenApi::default,
        consumers: &[],
        knobs: Knobs::none,
        compose: |host| async { Ok(steady(host)) }.boxed(),
    },
    Service {
        name: FRONT,
        routes: |_| stage::routes(),
        openapi: stage::openapi,
        consumers: &[],
        knobs: Knobs::none,
        compose: |host| async { front(host) }.boxed(),
    },
];

fn front(host: &Host) -> Result<Hosted> {
    let deps = FrontDeps {
        ctx: host.ctx.clone(),
        back: Arc::new(BackClient(edges::to(host, FRONT, BACK)?)),
        steady: Arc::new(SteadyClient(edges::to(host, FRONT, STEADY)?)),
    };
    let handler = stage::front(&host.config.stage, deps);
    Ok(Hosted::page(FRONT, stage::routes(), handler))
}

async fn back(host: &Host) -> Result<Hosted> {
    let metrics = &host.telemetry.metrics;
    let callee = stage::back(&host.config.stage, &host.ctx, metrics);
    let dispatch = BackServer::new(Arc::clone(&callee.service));
    let mut hosted = called(BACK, callee, dispatch);
    // It keeps its knob and nothing else, so that its replicas follow.
    let db = host.database(BACK).await?;
    db.migrate(&[])
        .await
        .context("cannot prepare the data of stage_back")?;
    hosted.db = Some(db);
    Ok(hosted)
}

fn steady(host: &Host) -> Hosted {
    let metrics = &host.telemetry.metrics;
    let callee = stage::steady(&host.config.stage, &host.ctx, metrics);
    let dispatch = SteadyServer::new(Arc::clone(&callee.service));
    called(STEADY, callee, dispatch)
}

/// A service that is called and has no routes of its own.
fn called<T: ?Sized>(name: &'static str, callee: Callee<T>, dispatch: Arc<dyn Dispatch>) -> Hosted {
    let nothing: Arc<dyn Handler> = web::from_fn(|_| async {
        ProblemReply::new(Code::NotFound, "there is nothing here").into_web()
    });
    let mut hosted = Hosted::page(name, Vec::new(), nothing);
    hosted.dispatch = Some(dispatch);
    hosted.knobs = callee.knobs;
    let jobs = callee.jobs.into_iter().map(|job| Job {
        name: job.name,
        run: job.run,
    });
    hosted.jobs.get_mut().extend(jobs);
    hosted
}
