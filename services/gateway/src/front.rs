//! The handler in front of all: finds the route and hands the request over.

use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use http::{HeaderValue, header};
use web::{Handler, Meta, Red, Request, Response, headers};

use crate::error::Failure;
use crate::explain;
use crate::gateway::Core;
use crate::proxy::Proxy;
use crate::route::{Entry, Target, has_dot_segment};

#[derive(Clone)]
pub(crate) struct Front {
    core: Arc<Core>,
    proxy: Arc<Proxy>,
}

impl Front {
    pub(crate) fn new(core: Arc<Core>, proxy: Proxy) -> Self {
        Self {
            core,
            proxy: Arc::new(proxy),
        }
    }

    fn find(&self, request: &Request) -> Result<Arc<Entry>, Failure> {
        let path = request.uri().path();
        if has_dot_segment(path) {
            return Err(Failure::DotSegment);
        }
        let host = match request.uri().authority() {
            Some(authority) => authority.as_str(),
            None => request
                .headers()
                .get(header::HOST)
                .map_or("", |h| h.to_str().unwrap_or("")),
        };
        let table = self.core.table.load();
        table.find(host, path).cloned().ok_or(Failure::NoRoute)
    }

    fn pass(&self, entry: &Entry, request: Request, meta: Meta) -> BoxFuture<'static, Response> {
        match &entry.target {
            Target::Local(handler) => handler.enter(with_host(request), meta).1,
            Target::Remote(upstream) => self.proxy.pass(upstream, request, meta),
        }
    }

    fn answer(
        &self,
        entry: Arc<Entry>,
        request: Request,
        meta: Meta,
    ) -> BoxFuture<'static, Response> {
        if meta.explain {
            self.pass_explained(entry, request, meta)
        } else {
            self.pass(&entry, request, meta)
        }
    }

    /// The same, and the answer says how it was routed.
    fn pass_explained(
        &self,
        entry: Arc<Entry>,
        request: Request,
        meta: Meta,
    ) -> BoxFuture<'static, Response> {
        let before = explain::routing(&entry);
        let passing = self.pass(&entry, request, meta);
        Box::pin(async move {
            let mut response = passing.await;
            let explanation = explain::text(&entry, before, response.extensions());
            if let Ok(value) = HeaderValue::try_from(explanation) {
                response.headers_mut().insert(headers::EXPLAIN, value);
            }
            response
        })
    }
}

impl Handler for Front {
    fn call(&self, mut request: Request) -> BoxFuture<'static, Response> {
        let meta = request.extensions_mut().remove::<Meta>();
        self.enter(request, meta.unwrap_or_default()).1
    }

    fn enter(&self, request: Request, meta: Meta) -> (Option<Red>, BoxFuture<'static, Response>) {
        let entry = match self.find(&request) {
            Ok(entry) => entry,
            Err(failure) => return (None, Box::pin(ready(failure.reply()))),
        };
        let red = Some(entry.red.clone());
        let hits = web::struck(&self.core.deps.faults, "gateway", &request);
        if hits.is_empty() {
            return (red, self.answer(entry, request, meta));
        }
        let front = self.clone();
        let answer = Box::pin(async move {
            match web::suffer(&hits).await {
                Some(refused) => refused.into_web(),
                None => front.answer(entry, request, meta).await,
            }
        });
        (red, answer)
    }
}

/// HTTP/2 has the host in the URI; handlers look for it among the headers.
fn with_host(mut request: Request) -> Request {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    request
}
