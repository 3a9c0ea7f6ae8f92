//! Several links in one request, each with its own result.

use std::sync::Arc;

use axum::extract::State;
use contracts::links::{BulkCreate, BulkDelete, BulkPatch, BulkResult};
use http::StatusCode;
use kernel::Problem;
use web::Mutation;

use super::super::answer::{Answer, Asked, Sent, Write, done, refuse};
use crate::service::Service;

/// Makes up to 100 links; each succeeds or fails by itself.
#[utoipa::path(post, path = "/api/links/bulk", tag = "bulk", request_body = BulkCreate,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again")),
    responses((status = 200, body = BulkResult), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Sent<BulkCreate>>,
) -> Answer {
    let call = asked.with(sent.key);
    let all = service
        .bulk_create(&call, sent.body.0)
        .await
        .map_err(|e| refuse(&e))?;
    Ok(done(StatusCode::OK, all))
}

/// Changes up to 100 links; each succeeds or fails by itself.
#[utoipa::path(patch, path = "/api/links/bulk", tag = "bulk", request_body = BulkPatch,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again")),
    responses((status = 200, body = BulkResult), (status = 422, body = Problem)))]
pub(crate) async fn patch(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Sent<BulkPatch>>,
) -> Answer {
    let call = asked.with(sent.key);
    let all = service
        .bulk_patch(&call, sent.body.0)
        .await
        .map_err(|e| refuse(&e))?;
    Ok(done(StatusCode::OK, all))
}

/// Removes up to 100 links; each succeeds or fails by itself.
#[utoipa::path(delete, path = "/api/links/bulk", tag = "bulk", request_body = BulkDelete,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send again")),
    responses((status = 200, body = BulkResult), (status = 422, body = Problem)))]
pub(crate) async fn delete(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Sent<BulkDelete>>,
) -> Answer {
    let call = asked.with(sent.key);
    let all = service
        .bulk_delete(&call, sent.body.0)
        .await
        .map_err(|e| refuse(&e))?;
    Ok(done(StatusCode::OK, all))
}
