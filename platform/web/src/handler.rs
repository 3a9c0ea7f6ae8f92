//! What answers requests, and where it is mounted.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use tower::Service as _;

use crate::{Meta, Red, Request, Response};

/// Answers requests. No socket is needed to call it.
pub trait Handler: Send + Sync + 'static {
    /// The answer to `request`, which has its [`Meta`] among its extensions.
    fn call(&self, request: Request) -> BoxFuture<'static, Response>;

    /// The answer to a request that has just come in, and what counts it if not the server as a
    /// whole. For handlers that every request passes: they route, or they can do without the map
    /// that extensions are.
    fn enter(
        &self,
        mut request: Request,
        meta: Meta,
    ) -> (Option<Red>, BoxFuture<'static, Response>) {
        request.extensions_mut().insert(meta);
        (None, self.call(request))
    }
}

/// Where requests of a service come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteSpec {
    /// Only for this `Host` (lower case, without the port); any host if absent.
    pub host: Option<String>,
    /// Paths that start with this on a segment boundary; the longest wins, `/` takes what is left.
    pub prefix: String,
    /// The service that answers.
    pub service: &'static str,
}

impl RouteSpec {
    /// Paths under `prefix`, on any host, go to `service`.
    #[must_use]
    pub fn any_host(prefix: impl Into<String>, service: &'static str) -> Self {
        Self {
            host: None,
            prefix: prefix.into(),
            service,
        }
    }
}

/// The handler behind an axum router.
pub fn from_router(router: axum::Router) -> Arc<dyn Handler> {
    Arc::new(RouterHandler(router))
}

/// The handler that is this function.
pub fn from_fn<F, Fut>(f: F) -> Arc<dyn Handler>
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    Arc::new(FnHandler(f))
}

struct RouterHandler(axum::Router);

impl Handler for RouterHandler {
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        let mut router = self.0.clone();
        Box::pin(async move {
            let answer: Result<_, Infallible> = router.call(request).await;
            let Ok(response) = answer;
            response.map(Into::into)
        })
    }
}

struct FnHandler<F>(F);

impl<F, Fut> Handler for FnHandler<F>
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        Box::pin((self.0)(request))
    }
}
