//! Custom domains.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use contracts::links::{DeleteDomain, Deleted, Domain, DomainList, PutDomain};
use http::StatusCode;
use kernel::Problem;
use web::{Json, Mutation, Path};

use super::super::answer::{Answer, Asked, Read, Write, done};
use crate::service::Service;

/// The custom domains.
#[utoipa::path(get, path = "/api/links/domains", tag = "domains",
    responses((status = 200, body = DomainList)))]
pub(crate) async fn list(State(service): State<Arc<Service>>, _: Asked<Read>) -> Answer {
    let all = service.domains().await?;
    Ok(Json(all).into_response())
}

/// Adds or changes a custom domain.
#[utoipa::path(put, path = "/api/links/domains", tag = "domains", request_body = PutDomain,
    responses((status = 200, body = Domain), (status = 422, body = Problem)))]
pub(crate) async fn put(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Json<PutDomain>>,
) -> Answer {
    let call = asked.with(sent.key);
    let domain = service.put_domain(&call, sent.body.0).await?;
    Ok(done(StatusCode::OK, domain))
}

/// Removes a custom domain that no link uses.
#[utoipa::path(delete, path = "/api/links/domains/{host}", tag = "domains", params(("host" = String, Path)),
    responses((status = 200, body = Deleted), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn delete(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    Path(host): Path<String>,
    sent: Mutation<Write, ()>,
) -> Answer {
    let call = asked.with(sent.key);
    let request = DeleteDomain { host };
    let gone = service.delete_domain(&call, request).await?;
    Ok(done(StatusCode::OK, gone))
}
