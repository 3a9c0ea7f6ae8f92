//! Several links in one request, each with its own result.

use std::sync::Arc;

use axum::extract::State;
use contracts::links::{BulkCreate, BulkDelete, BulkPatch, BulkResult};
use http::StatusCode;
use kernel::Problem;
use web::{Json, Mutation};

use super::super::answer::{Answer, Asked, Write, done};
use crate::service::Service;

/// Makes up to 100 links; each succeeds or fails by itself.
#[utoipa::path(post, path = "/api/links/bulk", tag = "bulk", request_body = BulkCreate,
    responses((status = 200, body = BulkResult), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Json<BulkCreate>>,
) -> Answer {
    let call = asked.with(sent.key);
    let all = service.bulk_create(&call, sent.body.0).await?;
    Ok(done(StatusCode::OK, all))
}

/// Changes up to 100 links; each succeeds or fails by itself.
#[utoipa::path(patch, path = "/api/links/bulk", tag = "bulk", request_body = BulkPatch,
    responses((status = 200, body = BulkResult), (status = 422, body = Problem)))]
pub(crate) async fn patch(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Json<BulkPatch>>,
) -> Answer {
    let call = asked.with(sent.key);
    let all = service.bulk_patch(&call, sent.body.0).await?;
    Ok(done(StatusCode::OK, all))
}

/// Removes up to 100 links; each succeeds or fails by itself.
#[utoipa::path(delete, path = "/api/links/bulk", tag = "bulk", request_body = BulkDelete,
    responses((status = 200, body = BulkResult), (status = 422, body = Problem)))]
pub(crate) async fn delete(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Json<BulkDelete>>,
) -> Answer {
    let call = asked.with(sent.key);
    let all = service.bulk_delete(&call, sent.body.0).await?;
    Ok(done(StatusCode::OK, all))
}
