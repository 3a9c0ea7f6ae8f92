//! Passing a request on to a replica, and its answer back.

mod body;
mod headers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use http_body::Body as _;
use mesh::balance::{Outcome, Picked};
use mesh::pool::{Pool, PoolConfig, PooledBody, SendError};
use smallvec::SmallVec;
use tokio::time::{Instant, timeout_at};
use web::{Body, ClusterSecret, Meta, Request, Response, Seen};

use crate::config::UpstreamConfig;
use crate::error::Failure;
use crate::explain::Trail;
use crate::upstream::Upstream;
use body::{Download, Ending, Verdict};

/// Passes requests on. Each worker has its own, with its own connections.
pub(crate) struct Proxy {
    config: Arc<UpstreamConfig>,
    cluster: Option<HeaderValue>,
    pool: Pool<Body>,
}

/// A request that can be sent once more: no body, and a method that may be repeated.
struct Copy {
    method: Method,
    uri: http::Uri,
    headers: HeaderMap,
}

impl Copy {
    fn request(&self) -> Request {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// A request that is ready for a replica.
struct Prepared {
    request: Request,
    /// The key of consistent hashing, where it is wanted.
    hash: Option<u64>,
    verdict: Verdict,
    /// An operator asked who was tried.
    explain: bool,
}

/// How one attempt ended.
enum Attempt {
    Answered(Response),
    Failed(Failure, Option<Request>),
}

impl Proxy {
    pub(crate) fn new(config: Arc<UpstreamConfig>, cluster: Option<&ClusterSecret>) -> Self {
        let pool = Pool::new(PoolConfig {
            max_idle_per_endpoint: config.idle_per_endpoint_max,
            connect_timeout: Duration::from_millis(config.connect_timeout_ms),
            idle_timeout: Duration::from_millis(config.idle_timeout_ms),
        });
        let cluster = cluster
            .and_then(|s| HeaderValue::from_str(s.expose()).ok())
            .map(|mut v| {
                v.set_sensitive(true);
                v
            });
        Self {
            config,
            cluster,
            pool,
        }
    }

    /// The service's answer to `request`, from whichever replica gives one.
    pub(crate) async fn pass(
        &self,
        upstream: &Upstream,
        request: Request,
    ) -> Result<Response, Failure> {
        let Prepared {
            mut request,
            hash,
            verdict,
            explain,
        } = self.prepare(upstream, request)?;
        let retry = &self.config.retry;
        let attempts_max = retry.attempts.max(1) as usize;
        upstream.budget.earn(retry);
        let copy = (attempts_max > 1 && is_repeatable(&request)).then(|| Copy {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        });
        let deadline = Instant::now() + Duration::from_millis(self.config.timeout_ms);
        let mut trail = SmallVec::<[SocketAddr; 4]>::new();
        loop {
            let Some(picked) = upstream.pick(hash, &trail) else {
                return Err(match trail.len() {
                    0 => Failure::NoReplica(upstream.service),
                    tried => Failure::Unreachable(upstream.service, tried),
                });
            };
            trail.push(picked.addr());
            let tried = trail.len();
            let (failure, back) = match self
                .attempt(upstream, picked, request, deadline, &verdict)
                .await
            {
                Attempt::Answered(mut response) => {
                    if explain {
                        let trail = Trail(trail.iter().map(ToString::to_string).collect());
                        response.extensions_mut().insert(trail);
                    }
                    return Ok(response);
                }
                Attempt::Failed(failure, back) => (failure, back),
            };
            let again = back.or_else(|| copy.as_ref().map(Copy::request));
            request = match again {
                Some(again)
                    if tried < attempts_max
                        && may_be_sent_again(&failure)
                        && upstream.budget.spend(retry) =>
                {
                    upstream.retries.inc();
                    again
                }
                _ => return Err(failure.after(tried)),
            };
        }
    }

    /// Readies the request, or refuses what cannot be passed on.
    fn prepare(&self, upstream: &Upstream, mut request: Request) -> Result<Prepared, Failure> {
        let meta = request
            .extensions_mut()
            .remove::<Meta>()
            .unwrap_or_default();
        if meta.seen.has(Seen::UPGRADE) && asks_upgrade(request.headers()) {
            return Err(Failure::Upgrade);
        }
        if request.method() == Method::TRACE {
            return Err(Failure::Trace);
        }
        let hash = upstream.wants_hash().then(|| hash_of(&meta));
        let (mut parts, body) = request.into_parts();
        let told = headers::Told {
            meta: &meta,
            cluster: self.cluster.as_ref(),
            style: self.config.forwarded,
        };
        headers::to_service(&mut parts.headers, &mut parts.uri, &told);
        parts.version = Version::HTTP_11;
        let mut verdict = Verdict::default();
        let body = match body {
            Body::Empty | Body::Full(_) => body,
            other => verdict.watch(other),
        };
        let request = Request::from_parts(parts, body);
        Ok(Prepared {
            request,
            hash,
            verdict,
            explain: meta.explain,
        })
    }

    async fn attempt(
        &self,
        upstream: &Upstream,
        picked: Picked,
        request: Request,
        deadline: Instant,
        verdict: &Verdict,
    ) -> Attempt {
        let service = upstream.service;
        let begun = Instant::now();
        match timeout_at(deadline, self.pool.send(picked.addr(), request)).await {
            Ok(Ok(response)) => match self.answer(picked, begun.elapsed(), response) {
                Some(response) => Attempt::Answered(response),
                None => Attempt::Failed(Failure::BadAnswer(service), None),
            },
            Ok(Err(error)) => self.broken(service, picked, error, verdict),
            Err(_) => {
                picked.finish(Outcome::Timeout);
                Attempt::Failed(Failure::TooSlow(service, self.config.timeout_ms), None)
            }
        }
    }

    fn broken(
        &self,
        service: &'static str,
        picked: Picked,
        error: SendError<Body>,
        verdict: &Verdict,
    ) -> Attempt {
        if let Some(fault) = verdict.get() {
            // The client's own body failed; the replica has done nothing wrong.
            drop(picked);
            return Attempt::Failed(Failure::Body(fault), None);
        }
        tracing::debug!(service, %error, "an attempt failed");
        match error.request {
            Some(request) => {
                picked.finish(Outcome::ConnectFailed);
                Attempt::Failed(Failure::Unreachable(service, 0), Some(*request))
            }
            None => {
                picked.finish(Outcome::Reset);
                Attempt::Failed(Failure::Broken(service), None)
            }
        }
    }

    /// The answer as the client gets it; `None` if it cannot be passed on.
    fn answer(
        &self,
        picked: Picked,
        latency: Duration,
        response: http::Response<PooledBody<Body>>,
    ) -> Option<Response> {
        let (mut parts, body) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            picked.finish(Outcome::ServerError);
            return None;
        }
        let outcome = outcome(parts.status, &parts.headers);
        headers::to_client(&mut parts.headers);
        parts.version = Version::default();
        let body = if body.is_end_stream() {
            picked.finish_after(outcome, latency);
            Body::Empty
        } else {
            let pause = Duration::from_millis(self.config.body_timeout_ms);
            Body::stream(Download::new(
                body,
                Ending {
                    picked,
                    outcome,
                    latency,
                },
                pause,
            ))
        };
        Some(Response::from_parts(parts, body))
    }
}

/// Whether the request may be sent to another replica although this one may have acted on it.
fn is_repeatable(request: &Request) -> bool {
    matches!(request.body(), Body::Empty) && request.method().is_idempotent()
}

const fn may_be_sent_again(failure: &Failure) -> bool {
    matches!(failure, Failure::Unreachable(..) | Failure::Broken(_))
}

fn asks_upgrade(sent: &HeaderMap) -> bool {
    let named = sent.get_all(header::CONNECTION);
    named
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("upgrade"))
}

/// The same client goes to the same replica.
fn hash_of(meta: &Meta) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    meta.client.0.hash(&mut hasher);
    hasher.finish()
}

/// What a status says about the replica that gave it.
fn outcome(status: StatusCode, headers: &HeaderMap) -> Outcome {
    match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            let seconds = headers
                .get(header::RETRY_AFTER)
                .and_then(|v| v.to_str().ok());
            let seconds = seconds.and_then(|s| s.parse().ok());
            Outcome::Overloaded {
                retry_after: seconds.map(Duration::from_secs),
            }
        }
        StatusCode::GATEWAY_TIMEOUT => Outcome::Timeout,
        status if status.is_server_error() => Outcome::ServerError,
        _ => Outcome::Ok,
    }
}
