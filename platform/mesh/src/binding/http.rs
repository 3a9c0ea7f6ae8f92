//! `POST /rpc/<service>/<method>` to an endpoint that the balancer picks, over the pool.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Uri};
use http_body_util::Full;
use kernel::{Code, Retry};
use tower::Service;

use crate::balance::{Balancer, Outcome, Picked};
use crate::pool::{Pool, SendError, SendErrorKind};
use crate::rpc::body::{ReadError, read_whole};
use crate::rpc::{self, wire};
use crate::timer::TIMER_SLACK;
use crate::{Body, Call, Failure, FailureKind, MESSAGE_BYTES_MAX, MeshError};
use crate::{Payload, Reply, codec};

/// Where and how the HTTP binding calls.
#[derive(Clone)]
pub struct HttpTarget {
    /// Chooses the endpoint of each call.
    pub balancer: Balancer,
    /// Carries it there.
    pub pool: Pool,
    /// The secret by which the callee knows its cluster.
    pub cluster_secret: Option<Arc<str>>,
}

impl HttpTarget {
    /// Over `pool`, without a secret.
    #[must_use]
    pub const fn new(balancer: Balancer, pool: Pool) -> Self {
        Self {
            balancer,
            pool,
            cluster_secret: None,
        }
    }

    /// The same with the cluster's secret.
    #[must_use]
    pub fn with_secret(mut self, secret: Option<Arc<str>>) -> Self {
        self.cluster_secret = secret;
        self
    }
}

/// So many headers a call has at most.
const HEADERS: usize = 8;

#[derive(Clone)]
pub(crate) struct HttpBinding(Arc<Shared>);

struct Shared {
    balancer: Balancer,
    pool: Pool,
    host: HeaderValue,
    secret: Option<HeaderValue>,
}

impl HttpBinding {
    pub(crate) fn new(service: &str, target: HttpTarget) -> Self {
        let HttpTarget {
            balancer,
            pool,
            cluster_secret,
        } = target;
        let host = HeaderValue::from_str(service)
            .unwrap_or_else(|_| HeaderValue::from_static("tradewind.internal"));
        let secret = cluster_secret
            .and_then(|s| HeaderValue::from_str(&s).ok())
            .map(|mut s| {
                s.set_sensitive(true);
                s
            });
        Self(Arc::new(Shared {
            balancer,
            pool,
            host,
            secret,
        }))
    }
}

impl Service<Call> for HttpBinding {
    type Response = Payload;
    type Error = Failure;
    type Future = BoxFuture<'static, Reply>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.exchange(call).await })
    }
}

impl Shared {
    async fn exchange(&self, call: Call) -> Reply {
        let service = call.method.service;
        let left = call.cx.deadline.left(self.balancer.clock());
        let picked = self
            .balancer
            .pick(None)
            .ok_or_else(|| MeshError::NoEndpoint {
                service: service.to_owned(),
            })?;
        let addr = picked.addr();
        let attempt = Attempt::until(Instant::now() + left, picked);
        let request = self.request(call, left)?;
        let response = match self.pool.send(addr, request).await {
            Ok(response) => response,
            Err(error) => return Err(broken(service, attempt, &error).into()),
        };
        let (head, body) = response.into_parts();
        let body = match read_whole(body, MESSAGE_BYTES_MAX).await {
            Ok(body) => body,
            Err(ReadError::TooLarge) => {
                attempt.finish(Outcome::Ok);
                let (service, limit_bytes) = (service.to_owned(), MESSAGE_BYTES_MAX as u64);
                return Err(MeshError::TooLarge {
                    service,
                    limit_bytes,
                }
                .into());
            }
            Err(ReadError::Broken(detail)) => {
                attempt.finish(Outcome::Reset);
                let service = service.to_owned();
                return Err(MeshError::ConnectionLost { service, detail }.into());
            }
        };
        let reply = wire::read_reply(service, &head, body);
        attempt.finish(outcome(&reply));
        reply
    }

    fn request(&self, call: Call, left: Duration) -> Result<Request<Full<Bytes>>, MeshError> {
        let Call { method, cx, body } = call;
        let bytes = match body {
            Body::Wire(bytes) => bytes,
            Body::Typed(_) => return Err(codec::not_written(method.service)),
        };
        let mut request = Request::new(Full::new(bytes));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = Uri::from(PathAndQuery::from_static(method.path));
        let headers = request.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(codec::CONTENT_TYPE));
        wire::write_cx(&cx, left, headers);
        if let Some(secret) = &self.secret {
            headers.insert(rpc::CLUSTER, secret.clone());
        }
        Ok(request)
    }
}

/// A request under way at an endpoint. Dropped when its time is up, it notes that the endpoint did
/// not answer; dropped earlier, because the caller gave up, it notes nothing.
struct Attempt {
    picked: Option<Picked>,
    end: Instant,
}

impl Attempt {
    const fn until(end: Instant, picked: Picked) -> Self {
        let picked = Some(picked);
        Self { picked, end }
    }

    fn finish(mut self, outcome: Outcome) {
        self.note(outcome);
    }

    fn note(&mut self, outcome: Outcome) {
        if let Some(picked) = self.picked.take() {
            picked.finish(outcome);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if Instant::now() + TIMER_SLACK >= self.end {
            self.note(Outcome::Timeout);
        }
    }
}

fn broken<B>(service: &str, attempt: Attempt, error: &SendError<B>) -> MeshError {
    let (service, detail) = (service.to_owned(), error.to_string());
    match error.kind {
        SendErrorKind::Connect | SendErrorKind::NotSent => {
            attempt.finish(Outcome::ConnectFailed);
            MeshError::Unreachable { service, detail }
        }
        SendErrorKind::Lost => {
            attempt.finish(Outcome::Reset);
            MeshError::ConnectionLost { service, detail }
        }
    }
}

/// What a reply says about the endpoint that gave it. A contract's own "no" is a good answer.
fn outcome(reply: &Reply) -> Outcome {
    let Err(Failure { code, retry, error }) = reply else {
        return Outcome::Ok;
    };
    let after = match retry {
        Retry::AfterMs(_) => Some(retry.delay()),
        _ => None,
    };
    match (code, error) {
        (Code::RateLimited | Code::Unavailable, _) => Outcome::Overloaded { retry_after: after },
        (Code::DeadlineExceeded, _) => Outcome::Timeout,
        (Code::Internal, _) | (_, FailureKind::Mesh(MeshError::Foreign { .. })) => {
            Outcome::ServerError
        }
        _ => Outcome::Ok,
    }
}
