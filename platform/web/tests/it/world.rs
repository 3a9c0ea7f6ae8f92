//! Requests to handlers without a socket.

use kernel::Principal;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use web::{Body, Handler, Meta, Request};

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

/// What `handler` answers a known local caller.
pub(crate) async fn ask(
    handler: &Arc<dyn Handler>,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: impl Into<Body>,
) -> Reply {
    ask_as(Principal::LOCAL, handler, method, path, headers, body).await
}

pub(crate) async fn ask_as(
    caller: Principal,
    handler: &Arc<dyn Handler>,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: impl Into<Body>,
) -> Reply {
    let mut request = Request::new(body.into());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request.extensions_mut().insert(Meta {
        caller,
        ..Meta::default()
    });
    let (head, body) = handler.call(request).await.into_parts();
    let body = web::read_body(body, 1 << 20).await.unwrap();
    Reply {
        status: head.status,
        headers: head.headers,
        body,
    }
}
