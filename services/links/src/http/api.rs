//! The routes of the API.

pub(super) mod bulk;
pub(super) mod domains;
pub(super) mod insight;
pub(super) mod links;

use std::sync::Arc;

use super::transfer;
use crate::service::Service;
use axum::Router;
use axum::routing::{get, post, put};

/// The routes of the API.
pub(super) fn router(service: &Arc<Service>) -> Router {
    Router::new()
        .route("/api/links", get(links::list).post(links::create))
        .route("/api/links/upsert", put(links::upsert))
        .route(
            "/api/links/bulk",
            post(bulk::create).patch(bulk::patch).delete(bulk::delete),
        )
        .route("/api/links/tags", get(insight::tags))
        .route("/api/links/orphans", get(insight::orphans))
        .route("/api/links/domains", get(domains::list).put(domains::put))
        .route(
            "/api/links/domains/{host}",
            axum::routing::delete(domains::delete),
        )
        .route("/api/links/import", post(transfer::import))
        .route("/api/links/export", get(transfer::export))
        .route(
            "/api/links/{id}",
            get(links::get).patch(links::patch).delete(links::delete),
        )
        .route("/api/links/{id}/stats", get(insight::stats))
        .route("/api/links/{id}/history", get(insight::history))
        .route("/api/links/{id}/rollback", post(links::rollback))
        .route("/api/links/{id}/explain", post(insight::explain))
        .route("/api/links/{id}/qr.svg", get(insight::qr_svg))
        .route("/api/links/{id}/qr.png", get(insight::qr_png))
        .with_state(Arc::clone(service))
}
