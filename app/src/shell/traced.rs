//! The way into a service, in every topology: where faults strike requests, and where the answer
//! becomes a step of the trace that the gateway began.

use std::sync::Arc;

use faults::Faults;
use futures_util::future::BoxFuture;
use telemetry::{SpanKind, Traces};
use web::{Handler, Meta, Red, Request, Response};

use crate::shell::host::Host;
use crate::shell::hosted::Hosted;

/// A service's handler with a span around each request of a trace that is recorded.
struct Traced {
    traces: Traces,
    /// The process.
    id: Arc<str>,
    service: &'static str,
    faults: Faults,
    handler: Arc<dyn Handler>,
}

/// The handler of `hosted` with a span around each request of a trace that is recorded.
pub(crate) fn traced(host: &Host, hosted: &Hosted) -> Arc<dyn Handler> {
    Arc::new(Traced {
        traces: host.telemetry.traces.clone(),
        id: host.id.as_str().into(),
        service: hosted.name,
        faults: host.faults.clone(),
        handler: Arc::clone(&hosted.handler),
    })
}

impl Traced {
    fn pass(
        &self,
        mut request: Request,
        meta: Meta,
    ) -> (Option<Red>, BoxFuture<'static, Response>) {
        let hits = web::struck(&self.faults, self.service, &request);
        if hits.is_empty() {
            return self.handler.enter(request, meta);
        }
        request.extensions_mut().insert(meta);
        let handler = Arc::clone(&self.handler);
        let answer = Box::pin(async move {
            match web::suffer(&hits).await {
                Some(refused) => refused.into_web(),
                None => handler.call(request).await,
            }
        });
        (None, answer)
    }
}

impl Handler for Traced {
    fn call(&self, mut request: Request) -> BoxFuture<'static, Response> {
        let meta = request.extensions_mut().remove::<Meta>();
        self.enter(request, meta.unwrap_or_default()).1
    }

    fn enter(
        &self,
        request: Request,
        mut meta: Meta,
    ) -> (Option<Red>, BoxFuture<'static, Response>) {
        if !meta.trace.sampled {
            return self.pass(request, meta);
        }
        let (kind, parent) = (SpanKind::Server, Some(meta.trace));
        let mut span = self.traces.span("http request", self.service, parent, kind);
        span.attr("http.request.method", request.method().as_str());
        span.attr("url.path", request.uri().path());
        span.attr("service.instance.id", &*self.id);
        meta.trace = span.context();
        let (red, answering) = self.pass(request, meta);
        let answer = Box::pin(async move {
            let response = answering.await;
            span.attr("http.response.status_code", response.status().as_str());
            if response.status().is_server_error() {
                span.error(response.status().to_string());
            }
            response
        });
        (red, answer)
    }
}
