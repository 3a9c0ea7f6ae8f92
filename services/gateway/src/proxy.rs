//! Passing a request on to a replica, and its answer back.

mod body;
mod headers;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, ready};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use mesh::Limited;
use mesh::balance::{Outcome, Picked};
use mesh::pool::{Outgoing, Pool, PoolConfig, PooledBody, SendError};
use smallvec::SmallVec;
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
    pool: Pool,
}

/// What is known of a request once it is ready for a replica.
struct Prepared {
    request: Outgoing<Body>,
    /// The key of consistent hashing, where it is wanted.
    hash: Option<u64>,
    verdict: Verdict,
    /// It may go to another replica although one may have acted on it.
    repeatable: bool,
    /// An operator asked who was tried.
    explain: bool,
    arrived: Instant,
}

/// Why an attempt failed, and the request if it can be had back.
struct Failed(Failure, Option<Box<Outgoing<Body>>>);

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

    /// The service's answer to `request`, from whichever replica gives one; or why there is none.
    pub(crate) fn pass(
        self: &Arc<Self>,
        upstream: &Arc<Upstream>,
        request: Request,
        meta: Meta,
    ) -> BoxFuture<'static, Response> {
        let prepared = match self.prepare(upstream, request, &meta) {
            Ok(prepared) => prepared,
            Err(failure) => return Box::pin(ready(failure.reply())),
        };
        let (proxy, upstream) = (Arc::clone(self), Arc::clone(upstream));
        Box::pin(async move {
            match proxy.try_replicas(&upstream, prepared).await {
                Ok(response) => response,
                Err(failure) => failure.reply(),
            }
        })
    }

    async fn try_replicas(
        &self,
        upstream: &Upstream,
        prepared: Prepared,
    ) -> Result<Response, Failure> {
        let Prepared {
            mut request,
            hash,
            verdict,
            repeatable,
            explain,
            arrived,
        } = prepared;
        let service = upstream.service;
        let retry = &self.config.retry;
        let attempts_max = upstream.attempts(retry);
        let deadline = arrived + Duration::from_millis(self.config.timeout_ms);
        let mut trail = SmallVec::<[SocketAddr; 4]>::new();
        let mut begun = arrived;
        loop {
            let Some(picked) = upstream.pick(hash, &trail) else {
                return Err(match trail.len() {
                    0 => Failure::NoReplica(service),
                    tried => Failure::Unreachable(service, tried),
                });
            };
            trail.push(picked.addr());
            // Pinned here, the future is not moved into the timeout: it is large.
            let sending = pin!(self.pool.send(picked.addr(), request));
            let failed = match Limited::until(deadline, sending).await {
                Some(Ok(response)) => match self.answer(picked, begun.elapsed(), response) {
                    Some(mut response) => {
                        if explain {
                            response.extensions_mut().insert(Trail::of(&trail));
                        }
                        return Ok(response);
                    }
                    None => Failed(Failure::BadAnswer(service), None),
                },
                Some(Err(error)) => broken(service, picked, error, &verdict),
                None => {
                    picked.finish(Outcome::Timeout);
                    Failed(Failure::TooSlow(service, self.config.timeout_ms), None)
                }
            };
            let Failed(failure, back) = failed;
            let again = back.and_then(|b| self.again(*b, repeatable));
            let may = trail.len() < attempts_max && may_be_sent_again(&failure);
            request = match again {
                Some(again) if may && upstream.may_retry(retry) => again,
                _ => return Err(failure.after(trail.len())),
            };
            upstream.retries.inc();
            begun = Instant::now();
        }
    }

    /// The request for another replica: as it is if nothing of it was sent. Otherwise a service of
    /// ours is told so: whoever was asked first may have acted on it.
    fn again(&self, request: Outgoing<Body>, repeatable: bool) -> Option<Outgoing<Body>> {
        if request.is_whole() {
            return Some(request);
        }
        let yes = HeaderValue::from_static("1");
        let told = self.cluster.as_ref().map(|_| (&headers::AGAIN, &yes));
        repeatable.then(|| request.again(told)).flatten()
    }

    /// Readies the request, or refuses what cannot be passed on.
    fn prepare(
        &self,
        upstream: &Upstream,
        request: Request,
        meta: &Meta,
    ) -> Result<Prepared, Failure> {
        if meta.seen.has(Seen::UPGRADE) && asks_upgrade(request.headers()) {
            return Err(Failure::Upgrade);
        }
        if request.method() == Method::TRACE {
            return Err(Failure::Trace);
        }
        let told = headers::Told {
            meta,
            cluster: self.cluster.as_ref(),
            style: self.config.forwarded,
        };
        let (parts, mut body) = request.into_parts();
        let repeatable = matches!(body, Body::Empty) && parts.method.is_idempotent();
        let head = headers::to_service(&parts, &told);
        let mut verdict = Verdict::default();
        if !matches!(body, Body::Empty | Body::Full(_)) {
            body = verdict.watch(body);
        }
        let hash = upstream.wants_hash().then(|| hash_of(meta));
        Ok(Prepared {
            request: Outgoing::new(head, body),
            hash,
            verdict,
            repeatable,
            explain: meta.explain,
            arrived: meta.arrived,
        })
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
        let body = match body.into_whole() {
            Ok(whole) => {
                picked.finish_after(outcome, latency);
                Body::from(whole)
            }
            Err(more) => {
                let pause = Duration::from_millis(self.config.body_timeout_ms);
                let ending = Ending {
                    picked,
                    outcome,
                    latency,
                };
                Body::stream(Download::new(more, ending, pause))
            }
        };
        Some(Response::from_parts(parts, body))
    }
}

/// What the failure of an attempt means, for the replica and for the request.
fn broken(
    service: &'static str,
    picked: Picked,
    error: SendError<Body>,
    verdict: &Verdict,
) -> Failed {
    if let Some(fault) = verdict.get() {
        // The client's own body failed; the replica has done nothing wrong.
        drop(picked);
        return Failed(Failure::Body(fault), None);
    }
    tracing::debug!(service, %error, "an attempt failed");
    if error.request.is_whole() {
        picked.finish(Outcome::ConnectFailed);
        return Failed(Failure::Unreachable(service, 0), Some(error.request));
    }
    picked.finish(Outcome::Reset);
    Failed(Failure::Broken(service), Some(error.request))
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
