//! What a call costs on each binding, with and without the layers, beside a bare hyper client and
//! server in the same run. Rounds of all variants are interleaved, so that noise hits all alike.
//!
//! `cargo bench -p mesh`, or `cargo bench -p mesh -- HTTP` for the rows with that in their name.
//! Prints the median per call; the last column checks the aims.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use faults::Faults;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::{Choice as _, Code, Coded, Ctx, Tasks};
use mesh::balance::{Algorithm, Balancer, Outcome};
use mesh::discovery::{Discovery as _, Endpoint, StaticDiscovery};
use mesh::pool::{Pool, PoolConfig};
use mesh::rpc::RpcServer;
use mesh::{Binding, CallCx, Dispatch, Edge, HttpTarget, MeshError, MeshRegistry, contract};
use serde::{Deserialize, Serialize};
use telemetry::Telemetry;
use tokio::net::{TcpListener, TcpStream};

contract! {
    /// What is measured.
    pub trait Orders("orders") error OrderError {
        /// Answers with the order.
        query echo(Order) -> Order;
    }
}

/// About 300 bytes of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    id: String,
    customer: String,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
    price_minor: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

impl Coded for OrderError {
    fn code(&self) -> Code {
        Code::Internal
    }
}

struct Echo;

#[async_trait::async_trait]
impl Orders for Echo {
    async fn echo(&self, _cx: &CallCx, request: Order) -> Result<Order, OrderError> {
        Ok(request)
    }
}

fn order() -> Order {
    let line = |n: u32| Line {
        sku: format!("sku-{n:06}"),
        quantity: n,
        price_minor: 1_999,
    };
    let (id, customer) = (
        "01jd0q3m8c4x5v6b7n8m9k0p1q".into(),
        "alice@example.com".into(),
    );
    Order {
        id,
        customer,
        lines: (1..=5).map(line).collect(),
    }
}

/// One row of the table.
struct Variant {
    name: &'static str,
    call: Box<dyn Orders>,
    /// Calls per sample: enough that reading the clock does not count.
    batch: u32,
    samples: Vec<f64>,
}

const ROUNDS: usize = 40;
const SAMPLES_PER_ROUND: usize = 25;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let (rpc, constant) = serve();
    runtime.block_on(async move {
        let filter = std::env::args().nth(1).filter(|arg| !arg.starts_with('-'));
        let mut variants = variants(rpc);
        variants.retain(|v| filter.as_deref().is_none_or(|part| v.name.contains(part)));
        let mut hyper = Hyper::connect(constant).await;
        let mut yardsticks = [Vec::new(), Vec::new()];
        for round in 0..=ROUNDS {
            for variant in &mut variants {
                variant.round().await;
            }
            for _ in 0..SAMPLES_PER_ROUND * 4 {
                yardsticks[0].push(hyper.call().await);
                yardsticks[1].push(hyper.call_typed().await);
            }
            if round == 0 {
                variants.iter_mut().for_each(|v| v.samples.clear());
                yardsticks.iter_mut().for_each(Vec::clear);
            }
        }
        let [bytes, message] = yardsticks.each_mut().map(|samples| median(samples));
        report(&mut variants, bytes, message);
    });
}

fn variants(rpc: SocketAddr) -> Vec<Variant> {
    let mesh = MeshRegistry::new(Ctx::system(), Telemetry::quiet(), Faults::default());
    let dispatch = || -> Arc<dyn Dispatch> { OrdersServer::new(Arc::new(Echo)) };
    let bare = |binding| client(Edge::bare_local(dispatch(), binding));
    let variant = |name, call, batch| Variant {
        name,
        call,
        batch,
        samples: Vec::new(),
    };
    vec![
        variant("trait object, no mesh", Box::new(Echo), 100),
        variant("direct, no layers", bare(Binding::Direct), 100),
        variant(
            "direct, all layers",
            client(mesh.direct("bench", dispatch())),
            100,
        ),
        variant("strict, no layers", bare(Binding::Strict), 100),
        variant(
            "strict, all layers",
            client(mesh.strict("bench", dispatch())),
            100,
        ),
        variant(
            "HTTP, no layers",
            client(Edge::bare_http("orders", target(rpc))),
            1,
        ),
        variant(
            "HTTP, all layers",
            client(mesh.http("bench", "orders", target(rpc))),
            1,
        ),
    ]
}

fn client(edge: Edge) -> Box<dyn Orders> {
    Box::new(OrdersClient(edge))
}

fn target(addr: SocketAddr) -> HttpTarget {
    let endpoints = StaticDiscovery::new()
        .with("orders", [Endpoint::at(addr)])
        .watch("orders");
    let balancer = Balancer::simple("orders", endpoints, Algorithm::P2cEwma, Ctx::system());
    HttpTarget::new(balancer, Pool::new(PoolConfig::default()))
}

impl Variant {
    async fn round(&mut self) {
        let ctx = Ctx::system();
        let request = order();
        // Samples of one call are many, so that their median is that of single calls, like hyper's.
        let samples = if self.batch == 1 {
            SAMPLES_PER_ROUND * 4
        } else {
            SAMPLES_PER_ROUND
        };
        for _ in 0..samples {
            let started = Instant::now();
            for _ in 0..self.batch {
                let cx = CallCx::new(&*ctx.clock, Duration::from_secs(10));
                let answer = self.call.echo(&cx, request.clone()).await;
                std::hint::black_box(answer).expect("an echo");
            }
            self.samples
                .push(started.elapsed().as_secs_f64() * 1e6 / f64::from(self.batch));
        }
    }
}

/// What it costs to choose one of three endpoints and to note what became of the request.
fn pick_and_finish(algorithm: Algorithm) -> f64 {
    let list: Vec<Endpoint> = (1..=3)
        .map(|port| Endpoint::at(SocketAddr::from(([127, 0, 0, 1], port))))
        .collect();
    let endpoints = StaticDiscovery::new().with("orders", list).watch("orders");
    let balancer = Balancer::simple("orders", endpoints, algorithm, Ctx::system());
    let mut samples: Vec<f64> = (0..500_u64)
        .map(|sample| {
            let started = Instant::now();
            for n in 0..100 {
                let hash = sample
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                    .wrapping_add(n << 50);
                let picked = balancer.pick(Some(hash)).expect("an endpoint");
                picked.finish(Outcome::Ok);
            }
            started.elapsed().as_secs_f64() * 1e6 / 100.0
        })
        .collect();
    median(&mut samples)
}

/// The same bytes over the same loopback, by hyper alone.
struct Hyper {
    sender: SendRequest<Full<Bytes>>,
    body: Bytes,
}

impl Hyper {
    async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        let io = TokioIo::new(stream);
        let (sender, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .expect("a handshake");
        Tasks::new().spawn(connection);
        Self {
            sender,
            body: serde_json::to_vec(&order()).expect("JSON").into(),
        }
    }

    /// Sends and receives the bytes.
    async fn call(&mut self) -> f64 {
        let started = Instant::now();
        let body = self.body.clone();
        std::hint::black_box(self.exchange("/bytes", body).await);
        started.elapsed().as_secs_f64() * 1e6
    }

    /// Sends and receives the message: what a program without a mesh would do.
    async fn call_typed(&mut self) -> f64 {
        let request = order();
        let started = Instant::now();
        let body = serde_json::to_vec(&request).expect("JSON").into();
        let answer = self.exchange("/message", body).await;
        let answer: Order = serde_json::from_slice(&answer).expect("JSON");
        std::hint::black_box(answer);
        started.elapsed().as_secs_f64() * 1e6
    }

    async fn exchange(&mut self, path: &'static str, body: Bytes) -> Bytes {
        let request = Request::post(path)
            .header("host", "orders")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .expect("a request");
        self.sender.ready().await.expect("an open connection");
        let response = self.sender.send_request(request).await.expect("a response");
        response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes()
    }
}

/// Starts the contract's server and a constant one, each on a thread of its own.
fn serve() -> (SocketAddr, SocketAddr) {
    let server = RpcServer::new(
        [OrdersServer::new(Arc::new(Echo)) as Arc<dyn Dispatch>],
        None,
        Ctx::system(),
        Telemetry::quiet(),
    );
    let rpc = serve_on_thread(move |request| {
        let server = server.clone();
        async move { server.call(request).await }
    });
    let body = Bytes::from(serde_json::to_vec(&order()).expect("JSON"));
    let constant = serve_on_thread(move |request: Request<Incoming>| {
        let body = body.clone();
        async move {
            let typed = request.uri().path() == "/message";
            let read = request
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            let body = if typed {
                let order: Order = serde_json::from_slice(&read).expect("JSON");
                serde_json::to_vec(&order).expect("JSON").into()
            } else {
                body
            };
            let mut response = Response::new(Full::new(body));
            let kind = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert("content-type", kind);
            response
        }
    });
    (rpc, constant)
}

fn serve_on_thread<H, F>(handle: H) -> SocketAddr
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async move {
            let tasks = Tasks::new();
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            send.send(listener.local_addr().expect("an address"))
                .expect("main waits");
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a TCP socket");
                let handle = handle.clone();
                let service = service_fn(move |request| {
                    let answer = handle(request);
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                tasks.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    receive.recv().expect("the server starts")
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn report(variants: &mut [Variant], bytes: f64, message: f64) {
    let mut out = std::io::stdout().lock();
    let mut line = |name: &str, micros: f64, aim: Option<f64>| {
        let verdict = aim.map_or(String::new(), |aim| {
            let word = if micros < aim { "holds" } else { "MISSED" };
            format!("aim < {aim:.1} us: {word}")
        });
        writeln!(out, "{name:<34} {micros:>8.2} us   {verdict}").expect("stdout is open");
    };
    for variant in variants {
        let aim = match variant.name {
            "direct, all layers" => Some(2.0),
            "strict, all layers" => Some(6.0),
            // A mesh hands over messages, so it is held to what a program without one would pay for
            // the same message. The price of bare bytes stands beside it.
            "HTTP, all layers" => Some(message * 1.3),
            _ => None,
        };
        line(variant.name, median(&mut variant.samples), aim);
    }
    for (name, algorithm) in Algorithm::ALL {
        line(
            &format!("pick and finish, {name}"),
            pick_and_finish(*algorithm),
            Some(0.3),
        );
    }
    line("bare hyper, the same bytes", bytes, None);
    line("bare hyper and serde_json", message, None);
}
