//! Faults: what is broken on purpose, breaking something, and ending that.

use axum::extract::State;
use faults::FaultSpec;
use http::StatusCode;
use serde::Serialize;
use web::{Admin, Json, Mutation, Path, ProblemReply, problem};

use super::{Known, Shared};
use crate::cluster::FaultAt;

#[derive(Serialize)]
pub(super) struct FaultList {
    items: Vec<FaultAt>,
}

#[derive(Serialize)]
pub(super) struct Ended {
    /// Where the fault was.
    replicas: Vec<String>,
}

pub(super) async fn list(
    _: Known,
    State(collector): Shared,
) -> Result<Json<FaultList>, ProblemReply> {
    let items = collector.cluster().faults().await;
    let items = items.map_err(|error| problem(&error))?;
    Ok(Json(FaultList { items }))
}

pub(super) async fn inject(
    State(collector): Shared,
    change: Mutation<Admin, Json<FaultSpec>>,
) -> Result<(StatusCode, Json<FaultAt>), ProblemReply> {
    let Json(spec) = change.body;
    let struck = collector.cluster().inject(spec).await;
    let struck = struck.map_err(|error| problem(&error))?;
    Ok((StatusCode::CREATED, Json(struck)))
}

pub(super) async fn end(
    State(collector): Shared,
    Path(id): Path<String>,
    _: Mutation<Admin, ()>,
) -> Result<Json<Ended>, ProblemReply> {
    let replicas = collector.cluster().end_fault(&id).await;
    let replicas = replicas.map_err(|error| problem(&error))?;
    Ok(Json(Ended { replicas }))
}
