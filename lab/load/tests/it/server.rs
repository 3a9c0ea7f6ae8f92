//! A server that does what a test plants, on a thread of its own, and counts what it sees.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use kernel::SystemClock;
use load::{Plan, Report, Run, Target};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a server does before it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Behaviour {
    /// Nothing.
    Answer,
    /// Waits so long with every answer.
    Slow(Duration),
    /// Answers nobody in the first 100 ms of each second.
    Stall,
    /// Never answers.
    Silent,
    /// Answers, and closes the connection.
    Close,
    /// Breaks the connection of every second request.
    Break,
    /// Answers this status.
    Status(u16),
}

/// How long a stall is.
pub(crate) const STALL: Duration = Duration::from_millis(100);

/// What a server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) paths: BTreeMap<String, u64>,
    pub(crate) heads: Vec<(Version, String, http::HeaderMap)>,
}

/// A server. It ends when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
    _serving: DropGuard,
}

impl Server {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (
            Arc::new(Mutex::new(Seen::default())),
            CancellationToken::new(),
        );
        let (seeing, stopped) = (Arc::clone(&seen), stop.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(stopped.run_until_cancelled(serve(listener, behaviour, seeing)));
        });
        Self {
            address,
            seen,
            _serving: stop.drop_guard(),
        }
    }

    pub(crate) fn target(&self, path: &str) -> Target {
        Target::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// So many requests to `/`, as fast as a test may be.
    pub(crate) fn plan(&self, requests: u64) -> Plan {
        let mut plan = Plan::new(vec![self.target("/")]);
        plan.profile = load::Profile::constant(1_000.0);
        (plan.requests, plan.duration) = (Some(requests), None);
        plan.connections = 8;
        // Far longer than any test is to take, so that no slow machine makes errors.
        plan.timeout = Duration::from_secs(60);
        plan
    }
}

/// Runs a plan to its end.
pub(crate) fn run(plan: Plan) -> Report {
    let run = Run::new(plan, Arc::new(SystemClock)).unwrap();
    run.to_end(std::future::pending()).unwrap()
}

async fn serve(listener: std::net::TcpListener, behaviour: Behaviour, seen: Arc<Mutex<Seen>>) {
    let listener = TcpListener::from_std(listener).unwrap();
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let seen = Arc::clone(&seen);
        let service =
            service_fn(move |request| answer(request, behaviour, start, Arc::clone(&seen)));
        tasks.spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            drop(
                builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    behaviour: Behaviour,
    start: Instant,
    seen: Arc<Mutex<Seen>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().len() as u64;
    let number = {
        let mut seen = seen.lock();
        seen.requests += 1;
        seen.bytes += bytes;
        *seen.paths.entry(head.uri.path().to_owned()).or_default() += 1;
        if seen.heads.len() < 10 {
            seen.heads
                .push((head.version, head.method.to_string(), head.headers));
        }
        seen.requests
    };
    let mut response = Response::new(Full::from("twelve bytes"));
    match behaviour {
        Behaviour::Answer => {}
        Behaviour::Slow(wait) => tokio::time::sleep(wait).await,
        Behaviour::Stall => {
            let within = Duration::from_nanos(u64::from(start.elapsed().subsec_nanos()));
            tokio::time::sleep(STALL.saturating_sub(within)).await;
        }
        Behaviour::Silent => never().await,
        Behaviour::Close => {
            let close = http::HeaderValue::from_static("close");
            response
                .headers_mut()
                .insert(http::header::CONNECTION, close);
        }
        Behaviour::Break if number.is_multiple_of(2) => {
            return Err(std::io::Error::other("planted"));
        }
        Behaviour::Break => {}
        Behaviour::Status(status) => *response.status_mut() = status.try_into().unwrap(),
    }
    Ok(response)
}

async fn never() {
    let never: Infallible = std::future::pending().await;
    match never {}
}
