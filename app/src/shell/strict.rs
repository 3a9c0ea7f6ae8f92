//! The strict hand-over: a request to a service of the same process goes through the HTTP codec in
//! memory, so that whatever a network would change or refuse shows without one.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Uri, header};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::{Code, Tasks};
use web::{Body, ClusterSecret, Handler, Ingress, Meta, ProblemReply, Request, Response, headers};

use crate::settings::config::HandOver;
use crate::shell::host::Host;

/// How much of a message may be on its way.
const PIPE_BYTES: usize = 64 * 1024;

/// `handler` as the gateway of the same process is to call it.
pub(crate) fn hand_over(host: &Host, handler: &Arc<dyn Handler>) -> Arc<dyn Handler> {
    match host.config.hand_over {
        HandOver::Direct => Arc::clone(handler),
        HandOver::Strict => Arc::new(Strict {
            far: Far {
                handler: Arc::clone(handler),
                ingress: host.ingress.clone(),
            },
            secret: host.secret.clone(),
            tasks: host.tasks.clone(),
        }),
    }
}

#[derive(Clone)]
struct Strict {
    far: Far,
    secret: ClusterSecret,
    tasks: Tasks,
}

/// The receiving side: sees bytes, and believes headers as any process of ours does.
#[derive(Clone)]
struct Far {
    handler: Arc<dyn Handler>,
    ingress: Ingress,
}

impl Handler for Strict {
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        let strict = self.clone();
        Box::pin(async move {
            strict.exchange(request).await.unwrap_or_else(|error| {
                ProblemReply::new(Code::Internal, format!("the hand-over failed: {error}"))
                    .into_web()
            })
        })
    }
}

impl Strict {
    async fn exchange(&self, mut request: Request) -> Result<Response, hyper::Error> {
        self.sign(&mut request);
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let serving = self.far.clone();
        let server = hyper::server::conn::http1::Builder::new().serve_connection(
            TokioIo::new(far),
            service_fn(move |request| serving.clone().answer(request)),
        );
        self.tasks.spawn(server);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(near)).await?;
        self.tasks.spawn(connection);
        Ok(sender.send_request(request).await?.map(Body::Incoming))
    }

    /// Says in headers what travels in memory otherwise.
    fn sign(&self, request: &mut Request) {
        let meta = Meta::of(request);
        let uri = request.uri();
        let host = uri
            .authority()
            .and_then(|a| HeaderValue::from_str(a.as_str()).ok());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
        *request.version_mut() = http::Version::HTTP_11;
        let map = request.headers_mut();
        for name in [
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
            header::TE,
        ] {
            map.remove(name);
        }
        if let Some(host) = host {
            map.insert(header::HOST, host);
        }
        let client = meta.client.0.to_string();
        let caller = meta.caller.to_text();
        let text = [
            (headers::CLUSTER, self.secret.expose()),
            (headers::CALLER, &*caller),
            (headers::CLIENT, &*client),
        ];
        for (name, value) in text {
            put(map, name, HeaderValue::from_str(value).ok());
        }
        put(
            map,
            headers::REQUEST_ID,
            Some(meta.request_id.header_value()),
        );
        let trace = meta.trace.is_some().then(|| meta.trace.header_value());
        put(
            map,
            "traceparent",
            trace.and_then(|t| HeaderValue::from_str(&t).ok()),
        );
    }
}

impl Far {
    async fn answer(
        self,
        request: http::Request<hyper::body::Incoming>,
    ) -> Result<Response, Infallible> {
        let mut request = request.map(Body::Incoming);
        match self
            .ingress
            .admit(IpAddr::V4(Ipv4Addr::LOCALHOST), &mut request)
        {
            Ok(meta) => {
                request.extensions_mut().insert(meta);
                Ok(self.handler.call(request).await)
            }
            Err(refused) => Ok(refused.into_web()),
        }
    }
}

fn put(map: &mut HeaderMap, name: &'static str, value: Option<HeaderValue>) {
    if let Some(value) = value {
        map.insert(name, value);
    }
}
