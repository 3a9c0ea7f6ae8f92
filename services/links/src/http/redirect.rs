//! The click path. A plain link that is in the cache is answered here and now: no store, no
//! waiting, no task. Everything else goes on to `visit`.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use web::{Body, Handler, Meta, Red, Request, Response};

use super::visit;
use crate::service::compiled::{Compiled, key};
use crate::service::recorder::Visit;
use crate::service::{CachePolicy, ClickPolicy, Service};

/// Tells the API and redirects apart.
pub(super) struct Front {
    api: Arc<dyn Handler>,
    service: Arc<Service>,
}

impl Front {
    pub(super) const fn new(api: Arc<dyn Handler>, service: Arc<Service>) -> Self {
        Self { api, service }
    }
}

impl Handler for Front {
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        match at_once(&self.service, &request, known(&request)) {
            Some(response) => Box::pin(ready(response)),
            None => self.later(request),
        }
    }

    fn enter(
        &self,
        mut request: Request,
        meta: Meta,
    ) -> (Option<Red>, BoxFuture<'static, Response>) {
        let answer = match at_once(&self.service, &request, Some(&meta)) {
            Some(response) => Box::pin(ready(response)),
            None => {
                request.extensions_mut().insert(meta);
                self.later(request)
            }
        };
        (None, answer)
    }
}

impl Front {
    /// The API, and visits that need waiting.
    fn later(&self, request: Request) -> BoxFuture<'static, Response> {
        let path = request.uri().path();
        if path
            .strip_prefix("/api/links")
            .is_some_and(|r| r.is_empty() || r.starts_with('/'))
        {
            return self.api.call(request);
        }
        Box::pin(visit::visit(Arc::clone(&self.service), request))
    }
}

/// The answer, if it needs no waiting.
fn at_once(service: &Service, request: &Request, known: Option<&Meta>) -> Option<Response> {
    let head = *request.method() == Method::HEAD;
    if !head && *request.method() != Method::GET {
        return None;
    }
    if service.choices.cache.get() == CachePolicy::None
        || service.choices.clicks.get() == ClickPolicy::Durable
    {
        return None;
    }
    let now = service.ctx.now();
    let hosts = service.hosts.known();
    let path = request.uri().path();
    let found = match hosts.as_ref()?.find(host(request)) {
        // On the default domain the path is the key of the cache.
        None => service.routes.ready(path, now),
        Some(domain) => service
            .routes
            .ready(&key(&domain.host, path.get(1..)?), now),
    }?;
    let visit = visit_of(request, known, found.link, now.millis());
    if is_again(known) || service.throttle.wait(visit.address, now).is_some() {
        return None;
    }
    service.recorder.record(&visit).ok()?;
    service.meters.redirected.inc();
    Some(onward(found.status, found.location, found.cache_control))
}

/// What is known of the request, if it came past the ingress.
pub(super) fn known<B>(request: &http::Request<B>) -> Option<&Meta> {
    request.extensions().get()
}

/// Where the client is, as far as it can be trusted.
pub(super) fn address(known: Option<&Meta>) -> IpAddr {
    let unknown = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
    known.map_or(unknown, |meta| meta.client.0)
}

/// Whether another replica was asked before and may have acted on the request.
pub(super) fn is_again(known: Option<&Meta>) -> bool {
    known.is_some_and(|meta| meta.again)
}

/// The number that the gateway gave the request; 0 if it came another way.
pub(super) fn hop(known: Option<&Meta>) -> u64 {
    known.map_or(0, |meta| meta.hop)
}

/// The host that the client asks.
pub(super) fn host<B>(request: &http::Request<B>) -> &str {
    match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => text(request.headers(), &header::HOST),
    }
}

/// A header as text; the empty one if it is absent or no text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
}

/// The visit of a link.
pub(super) fn visit_of<'a, B>(
    request: &'a http::Request<B>,
    known: Option<&Meta>,
    link: i64,
    at_ms: i64,
) -> Visit<'a> {
    let bytes = |name| {
        request
            .headers()
            .get(name)
            .map_or(&[][..], HeaderValue::as_bytes)
    };
    Visit {
        link,
        at_ms,
        address: address(known),
        agent: bytes(header::USER_AGENT),
        referrer: bytes(header::REFERER),
        language: bytes(header::ACCEPT_LANGUAGE),
        head: *request.method() == Method::HEAD,
        hop: hop(known),
    }
}

/// The answer that sends a visitor on.
pub(super) fn redirect(found: &Compiled, location: HeaderValue) -> Response {
    let mut response = onward(found.status, location, found.cache_control.clone());
    if !found.route.rules.is_empty() {
        response.headers_mut().insert(
            header::VARY,
            HeaderValue::from_static("user-agent, accept-language"),
        );
    }
    response
}

fn onward(status: StatusCode, location: HeaderValue, cache_control: HeaderValue) -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, cache_control);
    headers.insert(ROBOTS, NOINDEX);
    *response.headers_mut() = headers;
    response
}

/// The answer that sends a visitor somewhere else, this once.
pub(super) fn elsewhere(location: &str) -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, crate::service::compiled::header(location));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    headers.insert(ROBOTS, NOINDEX);
    response
}

pub(super) const ROBOTS: http::HeaderName = http::HeaderName::from_static("x-robots-tag");
pub(super) const NOINDEX: HeaderValue = HeaderValue::from_static("noindex");
