//! What is known about links: clicks, history, explanations, tags, QR codes.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contracts::links::{
    Bucket, ExplainLink, Explained, GetHistory, GetLink, GetOrphans, GetStats, History, LinkStats,
    Moment, OrphanStats, TagList,
};
use http::{HeaderValue, header};
use kernel::Problem;
use serde::Deserialize;
use utoipa::IntoParams;
use web::{Json, Mutation, Path, Query};

use super::super::answer::{Answer, Asked, Read, Write};
use super::super::qr::Qr;
use super::links::OnDomain;
use crate::service::Service;

/// Which clicks.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatsQuery {
    /// The domain of the code, when it is not the default one.
    domain: Option<String>,
    /// From this moment on; 30 days ago if absent.
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Before this moment; now if absent.
    #[param(value_type = Option<String>)]
    until: Option<Moment>,
    /// How wide the points of the series are; days if absent.
    #[param(inline)]
    by: Option<Bucket>,
}

/// The clicks of a link, exact to the click.
#[utoipa::path(get, path = "/api/links/{id}/stats", tag = "insight", params(("id" = String, Path), StatsQuery),
    responses((status = 200, body = LinkStats), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn stats(
    State(service): State<Arc<Service>>,
    _: Asked<Read>,
    Path(link): Path<String>,
    Query(query): Query<StatsQuery>,
) -> Answer {
    let StatsQuery {
        domain,
        from,
        until,
        by,
    } = query;
    let request = GetStats {
        link,
        domain,
        from,
        until,
        by,
    };
    let stats = service.stats(request).await?;
    Ok(Json(stats).into_response())
}

/// Visits that found no link.
#[utoipa::path(get, path = "/api/links/orphans", tag = "insight", params(GetOrphans),
    responses((status = 200, body = OrphanStats), (status = 422, body = Problem)))]
pub(crate) async fn orphans(
    State(service): State<Arc<Service>>,
    _: Asked<Read>,
    Query(query): Query<GetOrphans>,
) -> Answer {
    let stats = service.orphans(query).await?;
    Ok(Json(stats).into_response())
}

/// Every tag in use, most used first.
#[utoipa::path(get, path = "/api/links/tags", tag = "insight", responses((status = 200, body = TagList)))]
pub(crate) async fn tags(State(service): State<Arc<Service>>, _: Asked<Read>) -> Answer {
    let tags = service.tags().await?;
    Ok(Json(tags).into_response())
}

/// The versions of a link, newest first.
#[utoipa::path(get, path = "/api/links/{id}/history", tag = "insight", params(("id" = String, Path), OnDomain),
    responses((status = 200, body = History), (status = 404, body = Problem)))]
pub(crate) async fn history(
    State(service): State<Arc<Service>>,
    _: Asked<Read>,
    Path(link): Path<String>,
    Query(on): Query<OnDomain>,
) -> Answer {
    let request = GetHistory {
        link,
        domain: on.domain,
    };
    let history = service.history(request).await?;
    Ok(Json(history).into_response())
}

/// What would happen to a visitor, rule by rule, and why.
#[utoipa::path(post, path = "/api/links/{id}/explain", tag = "insight", params(("id" = String, Path), OnDomain),
    request_body = ExplainLink,
    responses((status = 200, body = Explained), (status = 404, body = Problem)))]
pub(crate) async fn explain(
    State(service): State<Arc<Service>>,
    _: Asked<Write>,
    Path(link): Path<String>,
    Query(on): Query<OnDomain>,
    sent: Mutation<Write, Json<ExplainLink>>,
) -> Answer {
    let asked = sent.body.0;
    let request = ExplainLink {
        link,
        domain: on.domain.or(asked.domain),
        ..asked
    };
    let explained = service.explain(request).await?;
    Ok(Json(explained).into_response())
}

/// The size of a picture.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QrQuery {
    /// The domain of the code, when it is not the default one.
    domain: Option<String>,
    /// About how many pixels wide a PNG is: up to 2048, 512 if absent.
    size: Option<u16>,
}

/// The short URL as a QR code in SVG.
#[utoipa::path(get, path = "/api/links/{id}/qr.svg", tag = "insight", params(("id" = String, Path), QrQuery),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 404, body = Problem)))]
pub(crate) async fn qr_svg(
    State(service): State<Arc<Service>>,
    asked: Asked<Read>,
    Path(link): Path<String>,
    Query(query): Query<QrQuery>,
) -> Answer {
    let qr = qr(&service, &asked, link, query.domain).await?;
    Ok(picture("image/svg+xml", qr.svg().into_bytes()))
}

/// The short URL as a QR code in PNG.
#[utoipa::path(get, path = "/api/links/{id}/qr.png", tag = "insight", params(("id" = String, Path), QrQuery),
    responses((status = 200, content_type = "image/png", body = Vec<u8>), (status = 404, body = Problem)))]
pub(crate) async fn qr_png(
    State(service): State<Arc<Service>>,
    asked: Asked<Read>,
    Path(link): Path<String>,
    Query(query): Query<QrQuery>,
) -> Answer {
    let qr = qr(&service, &asked, link, query.domain).await?;
    let png = qr.png(usize::from(query.size.unwrap_or(512)))?;
    Ok(picture("image/png", png))
}

async fn qr(
    service: &Service,
    asked: &Asked<Read>,
    link: String,
    domain: Option<String>,
) -> Result<Qr, web::ProblemReply> {
    let view = service.get(&asked.0, GetLink { link, domain }).await?;
    Ok(Qr::of(&view.short_url)?)
}

fn picture(kind: &'static str, bytes: Vec<u8>) -> Response {
    let kind = HeaderValue::from_static(kind);
    let kept = HeaderValue::from_static("private, max-age=60");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, kept),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (headers, bytes).into_response()
}
