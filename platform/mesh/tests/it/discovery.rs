//! Finding endpoints by DNS and by a registry that comes and goes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::{Ctx, Tasks};
use mesh::discovery::{
    Discovery as _, DnsDiscovery, Endpoints, Registration, Registry, RegistryClient,
};
use testkit::eventually;
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(60);

/// A supervisor's registry over HTTP, which can be made to fail.
#[derive(Clone)]
struct Supervisor {
    registry: Registry,
    away: Arc<AtomicBool>,
    ctx: Ctx,
}

impl Supervisor {
    async fn answer(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let mut response = self.clone().try_answer(request).await;
        if self.away.load(Ordering::SeqCst) {
            response = Response::new(Full::default());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }

    async fn try_answer(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        let (head, body) = request.into_parts();
        if head.method == http::Method::GET {
            let after = head
                .uri
                .query()
                .and_then(|q| q.strip_prefix("after=")?.parse().ok());
            let view = self.registry.poll(after, Duration::from_millis(200)).await;
            *response.body_mut() = serde_json::to_vec(&view).expect("JSON").into();
            return response;
        }
        let body = body.collect().await.expect("a body").to_bytes();
        let registration: Registration = serde_json::from_slice(&body).expect("a registration");
        let now = self.ctx.steady();
        self.registry.with(|state| match head.uri.path() {
            "/registry/register" => state.register(registration, now),
            _ => state.deregister(&registration.service, &registration.id),
        });
        response
    }

    async fn serve(&self, tasks: &Tasks) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let (this, inner) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                inner.spawn(async move {
                    let service = service_fn(move |request| {
                        let this = this.clone();
                        async move { Ok::<_, Infallible>(this.answer(request).await) }
                    });
                    let stream = TokioIo::new(stream);
                    let _ended = http1::Builder::new()
                        .serve_connection(stream, service)
                        .await;
                });
            }
        });
        addr
    }
}

fn ids(endpoints: &Endpoints) -> Vec<String> {
    endpoints
        .borrow()
        .iter()
        .map(|e| e.id.to_string())
        .collect()
}

async fn until(endpoints: &Endpoints, expected: &[&str]) {
    eventually(&format!("endpoints are {expected:?}"), PATIENCE, || async {
        ids(endpoints) == expected
    })
    .await;
}

fn replica(id: &str, port: u16) -> Registration {
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    Registration {
        service: "shop".into(),
        id: id.into(),
        addr,
        weight: 1,
        lease_ms: 600,
    }
}

#[tokio::test]
async fn a_registry_is_followed_and_an_outage_is_survived() {
    let (hosting, following, announcing) = (Tasks::new(), Tasks::new(), Tasks::new());
    let supervisor = Supervisor {
        registry: Registry::new(),
        away: Arc::default(),
        ctx: Ctx::system(),
    };
    let addr = supervisor.serve(&hosting).await;
    let client = RegistryClient::start(addr, None, &following);
    let endpoints = client.watch("shop");
    assert!(ids(&endpoints).is_empty());
    RegistryClient::start(addr, None, &announcing).announce(replica("a", 1));
    until(&endpoints, &["a"]).await;
    supervisor
        .registry
        .with(|s| s.register(replica("b", 2), supervisor.ctx.steady()));
    until(&endpoints, &["a", "b"]).await;

    supervisor.away.store(true, Ordering::SeqCst);
    supervisor.registry.with(|s| s.deregister("shop", "b"));
    tokio::time::timeout(Duration::from_millis(500), until(&endpoints, &["a"]))
        .await
        .expect_err("the last list stands");
    supervisor.away.store(false, Ordering::SeqCst);
    until(&endpoints, &["a"]).await;

    announcing.shutdown().await;
    until(&endpoints, &[]).await;
    following.shutdown().await;
}

#[tokio::test]
async fn a_name_is_resolved_and_keeps_its_last_answer() {
    let tasks = Tasks::new();
    let names = BTreeMap::from([
        ("shop".to_owned(), "127.0.0.1:4000".to_owned()),
        ("gone".to_owned(), "no-such-host.invalid:1".to_owned()),
    ]);
    let dns = DnsDiscovery::start(names, Duration::from_millis(20), &tasks);
    until(&dns.watch("shop"), &["127.0.0.1:4000"]).await;
    assert!(ids(&dns.watch("gone")).is_empty());
    tasks.shutdown().await;
}
