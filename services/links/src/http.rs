//! Links over HTTP: the API under `/api/links`, and redirects everywhere else. No rules here.

mod answer;
mod api;
mod document;
mod pages;
mod password;
mod qr;
mod redirect;
mod splitter;
mod transfer;
mod visit;

use std::sync::Arc;

use web::Handler;

pub use self::document::openapi;
use crate::service::Service;

/// What answers every request of the service.
pub(crate) fn handler(service: &Arc<Service>) -> Arc<dyn Handler> {
    let measured = (&openapi(), &service.metrics);
    let api = web::api(api::router(service), crate::NAME, measured);
    Arc::new(redirect::Front::new(api, Arc::clone(service)))
}
