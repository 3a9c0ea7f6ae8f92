//! The document of the API (OpenAPI 3.1).

use utoipa::OpenApi;

use super::api::{bulk, domains, insight, links};
use super::transfer;

#[derive(OpenApi)]
#[openapi(
    info(title = "Short links", description = "The code in, the target out, every click counted."),
    paths(
        links::create, links::upsert, links::list, links::get, links::patch, links::delete,
        links::rollback, bulk::create, bulk::patch, bulk::delete, domains::list, domains::put,
        domains::delete, insight::stats, insight::orphans, insight::tags, insight::history,
        insight::explain, insight::qr_svg, insight::qr_png, transfer::import, transfer::export
    ),
    components(schemas(contracts::links::LinkSort)),
    tags(
        (name = "links", description = "One link"),
        (name = "bulk", description = "Several links, each with its own result"),
        (name = "domains", description = "Custom domains"),
        (name = "insight", description = "Clicks, history, explanations, QR codes"),
        (name = "transfer", description = "Imports and exports")
    )
)]
struct Document;

/// The document of the API.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    web::described(Document::openapi(), crate::NAME)
}
