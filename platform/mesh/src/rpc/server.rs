//! The receiving end of the HTTP binding: give it requests under `/rpc/`, mount it where you like.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use kernel::Ctx;
use telemetry::{SpanKind, Telemetry};

use super::body::{ReadError, read_whole};
use super::{CLUSTER, PREFIX, wire};
use crate::pool::BoxError;
use crate::timer::Limited;
use crate::unknown_method;
use crate::{Body, Call, Dispatch, Failure, MESSAGE_BYTES_MAX, MeshError, Method, Reply};

/// No call may take longer, whatever deadline it brings.
const CALL_MAX: Duration = Duration::from_secs(60);

/// Serves contracts over HTTP. Cheap to clone.
#[derive(Clone)]
pub struct RpcServer(Arc<Shared>);

struct Shared {
    services: BTreeMap<&'static str, Arc<dyn Dispatch>>,
    secret: Option<Arc<str>>,
    ctx: Ctx,
    telemetry: Telemetry,
}

impl RpcServer {
    /// Serves these contracts. With a `secret`, only to callers that bring it.
    #[must_use]
    pub fn new(
        services: impl IntoIterator<Item = Arc<dyn Dispatch>>,
        secret: Option<Arc<str>>,
        ctx: Ctx,
        telemetry: Telemetry,
    ) -> Self {
        let services = services.into_iter().map(|d| (d.service(), d)).collect();
        Self(Arc::new(Shared {
            services,
            secret,
            ctx,
            telemetry,
        }))
    }

    /// Answers one request whose path begins with [`PREFIX`].
    pub async fn call<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let (service, method) = path.split_once('/').unwrap_or((path, ""));
        let reply = match self.0.find(service, method, &head.headers) {
            Ok((dispatch, method)) => {
                self.0
                    .carry_out(&*dispatch, method, &head.headers, body)
                    .await
            }
            Err(error) => Err(error.into()),
        };
        wire::write_reply(reply, service)
    }
}

impl Shared {
    fn find(
        &self,
        service: &str,
        method: &str,
        headers: &HeaderMap,
    ) -> Result<(Arc<dyn Dispatch>, &'static Method), MeshError> {
        let brought = headers.get(CLUSTER).map_or(&[][..], HeaderValue::as_bytes);
        if self
            .secret
            .as_deref()
            .is_some_and(|secret| !same(secret.as_bytes(), brought))
        {
            return Err(MeshError::Refused {
                service: service.to_owned(),
            });
        }
        let dispatch = self.services.get(service).ok_or_else(|| {
            let known: Vec<&str> = self.services.keys().copied().collect();
            let hint = format!("here are {}", known.join(", "));
            MeshError::UnknownService {
                service: service.to_owned(),
                hint,
            }
        })?;
        let methods = dispatch.methods();
        let found = methods.iter().find(|m| m.name == method);
        let method = found.ok_or_else(|| unknown_method(service, method, methods))?;
        Ok((Arc::clone(dispatch), method))
    }

    async fn carry_out<B>(
        &self,
        dispatch: &dyn Dispatch,
        method: &'static Method,
        headers: &HeaderMap,
        body: B,
    ) -> Reply
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let service = method.service;
        let now = self.ctx.now();
        let mut cx = wire::read_cx(headers, now, CALL_MAX);
        let left = cx.deadline.0.since(now);
        if left.is_zero() {
            return Err(late(service));
        }
        let mut span =
            self.telemetry
                .traces
                .span(method.span, service, Some(cx.trace), SpanKind::Server);
        cx.trace = span.context();
        let work = pin!(async {
            let bytes = read_whole(body, MESSAGE_BYTES_MAX)
                .await
                .map_err(|error| unreadable(service, error))?;
            dispatch
                .dispatch(Call {
                    method,
                    cx,
                    body: Body::Wire(bytes),
                })
                .await
        });
        let reply = Limited::new(left, work)
            .await
            .unwrap_or_else(|| Err(late(service)));
        if let Err(failure) = &reply {
            span.error(failure.code.name());
        }
        reply
    }
}

fn late(service: &str) -> Failure {
    MeshError::DeadlineExceeded {
        service: service.to_owned(),
    }
    .into()
}

fn unreadable(service: &str, error: ReadError) -> MeshError {
    let service = service.to_owned();
    match error {
        ReadError::TooLarge => MeshError::TooLarge {
            service,
            limit_bytes: MESSAGE_BYTES_MAX as u64,
        },
        ReadError::Broken(detail) => MeshError::Unreadable { service, detail },
    }
}

/// Compares in a time that does not tell how much of it is right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}
