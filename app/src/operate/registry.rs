//! The supervisor's registry as HTTP: `GET /registry`, `POST /registry/register`, `/deregister`.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use kernel::{Code, Ctx, Tasks};
use mesh::discovery::{Registration, Registry};
use web::{Handler, ProblemReply, Request, Response};

use crate::shell::bodies::json;
use crate::shell::host::Host;

/// How long a poll may hang: less than the clients wait.
const POLL_MAX: Duration = Duration::from_secs(25);
const EXPIRE_EVERY: Duration = Duration::from_millis(500);
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Forgets whoever has not renewed in time, for as long as `host` works.
pub(crate) fn keep(registry: &Registry, host: &Host) {
    let (registry, ctx, tasks) = (registry.clone(), host.ctx.clone(), host.tasks.clone());
    host.tasks.spawn(async move {
        loop {
            tokio::select! {
                () = tasks.stopping() => return,
                () = tokio::time::sleep(EXPIRE_EVERY) => {}
            }
            registry.with(|state| state.expire(ctx.steady()));
        }
    });
}

/// Keeps `own` registered for as long as `host` works.
pub(crate) fn hold(registry: &Registry, own: Registration, host: &Host) {
    let pause = Duration::from_millis(own.lease_ms / 3);
    let (registry, ctx, tasks) = (registry.clone(), host.ctx.clone(), host.tasks.clone());
    registry.with(|state| state.register(own.clone(), ctx.steady()));
    host.tasks.spawn(async move {
        loop {
            tokio::select! {
                () = tasks.stopping() => return,
                () = tokio::time::sleep(pause) => {}
            }
            registry.with(|state| state.register(own.clone(), ctx.steady()));
        }
    });
}

/// What answers below `/registry`; polls end when `tasks` are asked to.
pub(crate) fn handler(registry: Registry, ctx: Ctx, tasks: &Tasks) -> Arc<dyn Handler> {
    let tasks = tasks.clone();
    web::from_fn(move |request| {
        let (registry, ctx, tasks) = (registry.clone(), ctx.clone(), tasks.clone());
        async move {
            answer(&registry, &ctx, &tasks, request)
                .await
                .unwrap_or_else(ProblemReply::into_web)
        }
    })
}

async fn answer(
    registry: &Registry,
    ctx: &Ctx,
    tasks: &Tasks,
    request: Request,
) -> Result<Response, ProblemReply> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (&method, path.as_str()) {
        (&Method::GET, "/registry") => {
            let query = request.uri().query().unwrap_or_default();
            let after = query
                .strip_prefix("after=")
                .and_then(|text| text.parse().ok());
            let view = tokio::select! {
                view = registry.poll(after, POLL_MAX) => view,
                () = tasks.stopping() => registry.with(|state| state.view()),
            };
            Ok(json(StatusCode::OK, &view))
        }
        (&Method::POST, "/registry/register") => {
            let registration = read(request).await?;
            registry.with(|state| state.register(registration, ctx.steady()));
            Ok(json(
                StatusCode::OK,
                &registry.with(|state| state.version()),
            ))
        }
        (&Method::POST, "/registry/deregister") => {
            let registration = read(request).await?;
            registry.with(|state| state.deregister(&registration.service, &registration.id));
            Ok(json(
                StatusCode::OK,
                &registry.with(|state| state.version()),
            ))
        }
        _ => Err(ProblemReply::new(
            Code::NotFound,
            "the registry has no such path",
        )),
    }
}

async fn read(request: Request) -> Result<Registration, ProblemReply> {
    let body = web::read_body(request.into_body(), BODY_BYTES_MAX).await?;
    serde_json::from_slice(&body)
        .map_err(|error| ProblemReply::new(Code::Invalid, format!("no registration: {error}")))
}
