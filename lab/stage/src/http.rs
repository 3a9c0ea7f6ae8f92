//! Routes to use cases; no rules.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use kernel::{Code, Problem};
use utoipa::OpenApi;
use web::{Json, Meta, ProblemReply, problem};

use crate::contract::Done;
use crate::front::Front;

/// The document of the API.
#[derive(OpenApi)]
#[openapi(paths(work, steady), components(schemas(Problem)))]
pub(crate) struct Document;

type Routes = State<Arc<Front>>;
type Answer = Result<Json<Done>, ProblemReply>;

/// The routes.
pub(crate) fn handler(front: Front) -> Arc<dyn web::Handler> {
    let router = Router::new()
        .route("/stage/work", get(work))
        .route("/stage/steady", get(steady))
        .fallback(unknown)
        .with_state(Arc::new(front));
    web::from_router(router)
}

/// Have a job done by the callee with finite capacity.
#[utoipa::path(get, path = "/stage/work", tag = "stage",
    responses((status = 200, body = Done), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
async fn work(State(front): Routes, meta: Meta) -> Answer {
    front
        .work(&meta)
        .await
        .map(Json)
        .map_err(|error| problem(&error))
}

/// Have a job done by the callee that is always quick.
#[utoipa::path(get, path = "/stage/steady", tag = "stage",
    responses((status = 200, body = Done), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
async fn steady(State(front): Routes, meta: Meta) -> Answer {
    front
        .steady(&meta)
        .await
        .map(Json)
        .map_err(|error| problem(&error))
}

async fn unknown() -> ProblemReply {
    ProblemReply::new(Code::NotFound, "here are /stage/work and /stage/steady")
}
