//! What the tests stand on: replicas that echo what they get and can be killed with a reset, a
//! gateway before them, and raw connections for what no honest client sends.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gateway::{Config, Deps, Gateway, Route};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::{Ctx, Knobs, Tasks};
use mesh::discovery::{Endpoint, StaticDiscovery};
use parking_lot::Mutex;
use serde_json::json;
use telemetry::Telemetry;
use testkit::{Client, Reply};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use web::{ClusterSecret, Drained, Ingress, Keys, RouteSpec};

pub(crate) const SERVICE: &str = "demo";

/// What a replica has seen and does.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) paths: Mutex<VecDeque<String>>,
    pub(crate) requests: AtomicUsize,
    pub(crate) checks: AtomicUsize,
    /// Requests to `/hold` wait for this.
    pub(crate) release: Notify,
    /// The status of every answer but `/readyz`, if not 200.
    pub(crate) status: Mutex<Option<StatusCode>>,
    pub(crate) unready: Mutex<bool>,
}

/// An upstream server.
pub(crate) struct Replica {
    pub(crate) addr: SocketAddr,
    pub(crate) state: Arc<State>,
    serving: AbortHandle,
    _tasks: JoinSet<()>,
}

impl Replica {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let mut tasks = JoinSet::new();
        let serving = tasks.spawn(serve(listener, addr, Arc::clone(&state)));
        Self {
            addr,
            state,
            serving,
            _tasks: tasks,
        }
    }

    /// Closes the listener and resets every connection, as a SIGKILL does.
    pub(crate) fn kill(&self) {
        self.serving.abort();
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.state.paths.lock().iter().cloned().collect()
    }
}

async fn serve(listener: TcpListener, addr: SocketAddr, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Dropped at once, a connection ends in a reset.
        stream.set_zero_linger().unwrap();
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, addr, Arc::clone(&state)));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    addr: SocketAddr,
    state: Arc<State>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let path = head.uri.to_string();
    if path == "/readyz" {
        state.checks.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::new(Full::default());
        if *state.unready.lock() {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        return Ok(response);
    }
    state.requests.fetch_add(1, Ordering::SeqCst);
    {
        let mut paths = state.paths.lock();
        if paths.len() == 1_000 {
            paths.pop_front();
        }
        paths.push_back(path.clone());
    }
    if path == "/break" {
        return Err(std::io::Error::other("as the test wishes"));
    }
    if path.starts_with("/hold") {
        state.release.notified().await;
    }
    let body = body
        .collect()
        .await
        .map_err(std::io::Error::other)?
        .to_bytes();
    let headers: serde_json::Map<String, serde_json::Value> = head
        .headers
        .iter()
        .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into()))
        .collect();
    let echo = json!({
        "replica": addr.to_string(),
        "method": head.method.as_str(),
        "path": path,
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let mut response = Response::new(Full::new(echo.to_string().into()));
    *response.status_mut() = state.status.lock().unwrap_or(StatusCode::OK);
    response.headers_mut().insert(
        "x-tradewind-secret-thing",
        http::HeaderValue::from_static("1"),
    );
    Ok(response)
}

/// A gateway and what it stands before.
pub(crate) struct World {
    pub(crate) addr: SocketAddr,
    pub(crate) client: Client,
    pub(crate) gateway: Gateway,
    pub(crate) knobs: Knobs,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) discovery: Arc<StaticDiscovery>,
    pub(crate) tasks: Tasks,
    serving: tokio::task::JoinHandle<std::io::Result<Drained>>,
}

/// How a [`World`] differs from the usual.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) cluster: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        let mut config = Config {
            workers: 2,
            access_log_one_in: 0,
            ..Config::default()
        };
        config.health.active = false;
        Self {
            config,
            keys: Keys::none(),
            cluster: None,
        }
    }
}

impl World {
    pub(crate) async fn with_replicas(count: usize) -> Self {
        Self::start(count, Setup::default()).await
    }

    pub(crate) async fn start(count: usize, setup: Setup) -> Self {
        let mut replicas = Vec::new();
        for _ in 0..count {
            replicas.push(Replica::start().await);
        }
        let endpoints: Vec<Endpoint> = replicas.iter().map(|r| Endpoint::at(r.addr)).collect();
        let discovery = Arc::new(StaticDiscovery::new().with(SERVICE, endpoints));
        let ctx = Ctx::system();
        let cluster = setup.cluster.map(ClusterSecret::new);
        let mut ingress = Ingress::new(setup.keys, &*ctx.random);
        if let Some(secret) = &cluster {
            ingress = ingress.with_cluster(secret.clone());
        }
        let deps = Deps {
            telemetry: Telemetry::quiet(),
            ingress,
            discovery: Arc::clone(&discovery) as _,
            faults: faults::Faults::default(),
            cluster,
            ctx,
        };
        let parts = gateway::build(setup.config, deps);
        let everything = Route::remote(RouteSpec::any_host("/", SERVICE));
        parts.gateway.set_routes(vec![everything]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let tasks = Tasks::new();
        let (gateway, stop) = (parts.gateway.clone(), tasks.clone());
        // The gateway's own tasks must not hold the one that serves.
        let serving = Tasks::new().spawn(async move { gateway.serve(listener, &stop).await });
        let client = Client::new(format!("http://{addr}"));
        let (gateway, knobs) = (parts.gateway, parts.knobs);
        Self {
            addr,
            client,
            gateway,
            knobs,
            replicas,
            discovery,
            tasks,
            serving,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.client.get(path).await.unwrap()
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.client
            .send(Method::GET, path, headers, "")
            .await
            .unwrap()
    }

    /// What the replica got of a GET with these headers.
    pub(crate) async fn echoed(&self, headers: &[(&str, &str)]) -> serde_json::Value {
        self.get_with("/echo", headers).await.json()["headers"].clone()
    }

    pub(crate) async fn connect(&self) -> Raw {
        Raw(TcpStream::connect(self.addr).await.unwrap())
    }

    /// Requests that any replica has seen.
    pub(crate) fn requests(&self) -> usize {
        self.replicas.iter().map(Replica::requests).sum()
    }

    pub(crate) async fn drain(self) -> Drained {
        self.tasks.shutdown().await;
        self.serving.await.unwrap().unwrap()
    }

    /// In and out of rotation, as the gateway says.
    pub(crate) fn rotation(&self) -> Vec<bool> {
        let views = self.gateway.upstreams();
        views[0]
            .balancer
            .endpoints
            .iter()
            .map(|e| e.in_rotation)
            .collect()
    }
}

/// A connection on which anything can be said.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything until the gateway closes the connection; a reset counts as its end.
    pub(crate) async fn hear_all(&mut self) -> String {
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        let all = async {
            while let Ok(got @ 1..) = self.0.read(&mut buffer).await {
                heard.extend_from_slice(&buffer[..got]);
            }
        };
        let closed = tokio::time::timeout(Duration::from_secs(30), all).await;
        assert!(
            closed.is_ok(),
            "the connection stays open; heard {}",
            text(&heard)
        );
        text(&heard)
    }

    /// What comes until `end` has come.
    pub(crate) async fn hear_until(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        let part = async {
            while !text(&heard).contains(end) {
                let got = self.0.read(&mut buffer).await.unwrap();
                assert!(got > 0, "closed before '{end}'; heard {}", text(&heard));
                heard.extend_from_slice(&buffer[..got]);
            }
        };
        tokio::time::timeout(Duration::from_secs(30), part)
            .await
            .expect("an answer in time");
        text(&heard)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
