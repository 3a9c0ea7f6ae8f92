//! Routes to use cases; no rules.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use contracts::__name__::{
    Count__Name__, Create__Item__, Get__Item__, List__Name__, __Item__, __Item__Count, __Name__,
};
use http::{StatusCode, header};
use kernel::{Ctx, Id, Page, Problem};
use mesh::CallCx;
use telemetry::Metrics;
use utoipa::OpenApi;
use web::{Json, May, Meta, Mutation, Paging, Path, ProblemReply};

use crate::NAME;

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

web::scopes! {
    /// Looking at __name__.
    pub(crate) Read = "__name__:read";
    /// Adding to them.
    pub(crate) Write = "__name__:write";
}

/// What the routes need.
#[derive(Clone)]
pub(crate) struct Routes {
    pub(crate) ctx: Ctx,
    pub(crate) service: Arc<dyn __Name__>,
}

/// The document of the API.
#[derive(OpenApi)]
#[openapi(paths(create, one, list, count), components(schemas(Problem)))]
pub(crate) struct Document;

/// The routes.
pub(crate) fn handler(routes: Routes, metrics: &Metrics) -> Arc<dyn web::Handler> {
    let router = Router::new()
        .route("/api/__name__", get(list).post(create))
        .route("/api/__name__/count", get(count))
        .route("/api/__name__/{id}", get(one))
        .with_state(routes);
    web::api(router, NAME, (&crate::openapi(), metrics))
}

impl Routes {
    fn cx(&self, meta: &Meta) -> CallCx {
        CallCx::new(&*self.ctx.clock, REQUEST_TIMEOUT)
            .with_trace(meta.trace)
            .with_caller(meta.caller.clone())
    }
}

/// Add one.
#[utoipa::path(post, path = "/api/__name__", tag = "__name__", request_body = Create__Item__,
    responses((status = 201, body = __Item__), (status = 422, body = Problem)))]
async fn create(
    State(routes): State<Routes>,
    meta: Meta,
    request: Mutation<Write, Json<Create__Item__>>,
) -> Result<impl IntoResponse, ProblemReply> {
    let mut cx = routes.cx(&meta);
    if let Some(key) = request.key {
        cx = cx.with_idempotency_key(key.key);
    }
    let Json(body) = request.body;
    let made = routes.service.create(&cx, body).await?;
    let location = [(header::LOCATION, format!("/api/__name__/{}", made.id))];
    Ok((StatusCode::CREATED, location, Json(made)))
}

/// One by its id.
#[utoipa::path(get, path = "/api/__name__/{id}", tag = "__name__", params(("id" = String, Path)),
    responses((status = 200, body = __Item__), (status = 404, body = Problem)))]
async fn one(
    State(routes): State<Routes>,
    _: May<Read>,
    meta: Meta,
    Path(id): Path<Id>,
) -> Result<Json<__Item__>, ProblemReply> {
    let request = Get__Item__ { id };
    let found = routes.service.get(&routes.cx(&meta), request).await;
    Ok(Json(found?))
}

/// One page of all.
#[utoipa::path(get, path = "/api/__name__", tag = "__name__",
    params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = Page<__Item__>), (status = 422, body = Problem)))]
async fn list(
    State(routes): State<Routes>,
    _: May<Read>,
    meta: Meta,
    paging: Paging,
) -> Result<Json<Page<__Item__>>, ProblemReply> {
    let request = List__Name__ { cursor: paging.cursor, limit: paging.limit.get() };
    let found = routes.service.list(&routes.cx(&meta), request).await;
    Ok(Json(found?))
}

/// How many there are.
#[utoipa::path(get, path = "/api/__name__/count", tag = "__name__",
    responses((status = 200, body = __Item__Count)))]
async fn count(
    State(routes): State<Routes>,
    _: May<Read>,
    meta: Meta,
) -> Result<Json<__Item__Count>, ProblemReply> {
    let found = routes.service.count(&routes.cx(&meta), Count__Name__ {}).await;
    Ok(Json(found?))
}
