//! A service's REST API: its router, completed by what every API of the house has.
//!
//! Whatever the router does not know is a problem document: 404 for a path, 405 for a method, with `Allow` as the
//! router knows it. Every operation is measured by itself, and the document says what all operations share.

mod describe;
mod measure;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use kernel::Code;
use telemetry::Metrics;
use utoipa::openapi::OpenApi;

pub use describe::{IDEMPOTENCY_KEY, described};

use crate::{Handler, ProblemReply, from_router};

/// The handler of the API of `service`, with the routes of `router`, measured by the operations of `document`.
pub fn api(
    router: axum::Router,
    service: &'static str,
    (document, metrics): (&OpenApi, &Metrics),
) -> Arc<dyn Handler> {
    let measures = measure::Measures::of(document, service, metrics);
    let router = router
        .route_layer(axum::middleware::from_fn_with_state(
            measures,
            measure::observe,
        ))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        // Bodies are bounded by the server and by the extractors, which answer with a problem.
        .layer(DefaultBodyLimit::disable());
    from_router(router)
}

async fn unknown() -> ProblemReply {
    ProblemReply::new(
        Code::NotFound,
        "there is no such resource; see /api/openapi.json",
    )
}

/// The router adds `Allow` by itself.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    method_not_allowed().into_response()
}

/// The method is not one of the resource's (405).
#[must_use]
pub fn method_not_allowed() -> ProblemReply {
    let detail = "this resource has no such method; see the Allow header";
    ProblemReply::new(Code::BadRequest, detail).with_status(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The method is not allowed",
    )
}

#[cfg(test)]
mod tests;
