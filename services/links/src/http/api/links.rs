//! One link: make, read, list, change, roll back, remove.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use contracts::links::{
    CreateLink, Deleted, GetLink, LinkChanges, LinkView, ListLinks, PatchLink, RollbackLink,
    Upserted,
};
use http::{HeaderValue, StatusCode, header};
use kernel::{Page, Problem};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use web::{Json, Mutation, Path, Query};

use super::super::answer::{Answer, Asked, Read, Write, done};
use crate::service::Service;

/// The domain of a code in the path.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OnDomain {
    /// The domain of the code, when it is not the default one.
    pub(crate) domain: Option<String>,
}

/// Makes a link.
#[utoipa::path(post, path = "/api/links", tag = "links", request_body = CreateLink,
    responses((status = 201, body = LinkView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Json<CreateLink>>,
) -> Answer {
    let call = asked.with(sent.key);
    let made = service.create(&call, sent.body.0).await?;
    let location = format!("/api/links/{}", made.value.id);
    let mut response = done(StatusCode::CREATED, made);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Makes the link, or changes the one with the same external id, or else the same target.
#[utoipa::path(put, path = "/api/links/upsert", tag = "links", request_body = CreateLink,
    responses((status = 200, body = Upserted), (status = 201, body = Upserted), (status = 422, body = Problem)))]
pub(crate) async fn upsert(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    sent: Mutation<Write, Json<CreateLink>>,
) -> Answer {
    let call = asked.with(sent.key);
    let made = service.upsert(&call, sent.body.0).await?;
    let status = if made.value.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(done(status, made))
}

/// Links that match, page by page.
#[utoipa::path(get, path = "/api/links", tag = "links", params(ListLinks),
    responses((status = 200, body = Page<LinkView>), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    asked: Asked<Read>,
    Query(query): Query<ListLinks>,
) -> Answer {
    let page = service.list(&asked.0, query).await?;
    Ok(Json(page).into_response())
}

/// One link by its id, `ext_<external id>` or code.
#[utoipa::path(get, path = "/api/links/{id}", tag = "links", params(("id" = String, Path), OnDomain),
    responses((status = 200, body = LinkView), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    asked: Asked<Read>,
    Path(link): Path<String>,
    Query(on): Query<OnDomain>,
) -> Answer {
    let request = GetLink {
        link,
        domain: on.domain,
    };
    let view = service.get(&asked.0, request).await?;
    Ok(Json(view).into_response())
}

/// Changes what is named, keeps the rest; `null` clears.
#[utoipa::path(patch, path = "/api/links/{id}", tag = "links", params(("id" = String, Path), OnDomain),
    request_body = LinkChanges,
    responses((status = 200, body = LinkView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn patch(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    Path(link): Path<String>,
    Query(on): Query<OnDomain>,
    sent: Mutation<Write, Json<LinkChanges>>,
) -> Answer {
    let call = asked.with(sent.key);
    let request = PatchLink {
        link,
        domain: on.domain,
        changes: sent.body.0,
    };
    let changed = service.patch(&call, request).await?;
    Ok(done(StatusCode::OK, changed))
}

/// Removes a link with its history and its clicks.
#[utoipa::path(delete, path = "/api/links/{id}", tag = "links", params(("id" = String, Path), OnDomain),
    responses((status = 200, body = Deleted), (status = 404, body = Problem)))]
pub(crate) async fn delete(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    Path(link): Path<String>,
    Query(on): Query<OnDomain>,
    sent: Mutation<Write, ()>,
) -> Answer {
    let call = asked.with(sent.key);
    let request = GetLink {
        link,
        domain: on.domain,
    };
    let gone = service.delete(&call, request).await?;
    Ok(done(StatusCode::OK, gone))
}

/// Which version to go back to.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// The number of an earlier version.
    version: u32,
}

/// Makes an earlier version the newest one. Password and clicks used so far stay.
#[utoipa::path(post, path = "/api/links/{id}/rollback", tag = "links", params(("id" = String, Path), OnDomain),
    request_body = Rollback,
    responses((status = 200, body = LinkView), (status = 404, body = Problem)))]
pub(crate) async fn rollback(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    Path(link): Path<String>,
    Query(on): Query<OnDomain>,
    sent: Mutation<Write, Json<Rollback>>,
) -> Answer {
    let call = asked.with(sent.key);
    let request = RollbackLink {
        link,
        domain: on.domain,
        version: sent.body.0.version,
    };
    let changed = service.rollback(&call, request).await?;
    Ok(done(StatusCode::OK, changed))
}
