//! The OpenAPI document as an answer.

use http::HeaderValue;

use crate::{Asset, Handler, from_fn};
use std::sync::Arc;

/// Answers every request with `document` as JSON, with an ETag.
pub fn openapi_json(document: &utoipa::openapi::OpenApi) -> Arc<dyn Handler> {
    let json = document.to_json().unwrap_or_else(|_| "{}".to_owned());
    let asset = Arc::new(Asset::new(
        HeaderValue::from_static("application/json"),
        json.into_bytes().into(),
    ));
    from_fn(move |request| {
        let asset = Arc::clone(&asset);
        async move { asset.answer(request.method(), request.headers()) }
    })
}
