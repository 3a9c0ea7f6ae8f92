//! Rate, errors and durations of each operation, by the route that it matched.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use telemetry::Metrics;
use utoipa::openapi::OpenApi;

use super::describe::operations;
use crate::Red;

/// The handles of every operation, made once.
#[derive(Clone)]
pub(super) struct Measures(Arc<Handles>);

struct Handles {
    by_operation: HashMap<(Method, String), Red>,
    /// What the document does not name.
    others: Red,
}

impl Measures {
    pub(super) fn of(document: &OpenApi, service: &str, metrics: &Metrics) -> Self {
        let red = |operation: &str| Red::of_operation(metrics, service, operation);
        let by_operation = operations(document).map(|(method, path)| {
            let handles = red(&format!("{method} {path}"));
            ((method, path.to_owned()), handles)
        });
        Self(Arc::new(Handles {
            by_operation: by_operation.collect(),
            others: red("other"),
        }))
    }

    fn red(&self, method: &Method, path: Option<&MatchedPath>) -> &Red {
        // A HEAD is answered by the operation that answers the GET.
        let method = if method == Method::HEAD {
            Method::GET
        } else {
            method.clone()
        };
        let key = path.map(|path| (method, path.as_str().to_owned()));
        let known = key.and_then(|key| self.0.by_operation.get(&key));
        known.unwrap_or(&self.0.others)
    }
}

pub(super) async fn observe(
    State(measures): State<Measures>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let red = measures.red(request.method(), path).clone();
    let began = Instant::now();
    let response = next.run(request).await;
    red.observe(response.status(), began.elapsed());
    response
}
