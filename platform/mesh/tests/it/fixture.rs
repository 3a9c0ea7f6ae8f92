//! A small contract, an implementation that does as it is told, and its edges on each binding.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use faults::Faults;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::{Code, Coded, Ctx, ManualClock, Retry, SystemClock, SystemRandom, Tasks, Timestamp};
use mesh::balance::{Algorithm, Balancer};
use mesh::discovery::{Discovery as _, Endpoint, StaticDiscovery};
use mesh::pool::{Pool, PoolConfig};
use mesh::rpc::RpcServer;
use mesh::{CallCx, Dispatch, Edge, HttpTarget, MeshError, MeshRegistry, contract};
use serde::{Deserialize, Serialize};
use telemetry::Telemetry;
use tokio::net::TcpListener;

contract! {
    /// A contract to try the mesh on.
    pub(crate) trait Shop("shop") error ShopError {
        /// Looks something up.
        query look(Look) -> Seen;
        /// Changes something.
        command buy(Buy) -> Bought;
        /// Shares what it must not share.
        command lend(Lent) -> Lent;
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Look {
    /// Is answered.
    Item(String),
    /// Is refused with this error.
    Fail(ShopError),
    /// Is never answered.
    Hang,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub item: String,
    pub deadline: Timestamp,
    pub caller: Option<String>,
    pub trace_id: String,
    pub thread: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Buy {
    pub item: Vec<u8>,
    #[serde(default)]
    pub fail: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bought {
    /// Where the callee found the item in memory.
    pub address: usize,
    pub key: Option<String>,
}

/// A message that carries shared memory, which no message should.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lent {
    pub count: Arc<AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum ShopError {
    #[error("there is no {item}")]
    NoSuchItem { item: String },
    #[error("sold out; come back in {ms} ms")]
    ComeBack { ms: u64 },
    #[error("the shop burns")]
    Burns,
    #[error("cannot be written as JSON")]
    Unwritable(std::collections::BTreeMap<(u8, u8), u8>),
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

impl Coded for ShopError {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchItem { .. } => Code::NotFound,
            Self::ComeBack { .. } => Code::RateLimited,
            Self::Burns => Code::Unavailable,
            Self::Unwritable(_) => Code::Internal,
            Self::Mesh(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::ComeBack { ms } => Retry::AfterMs(*ms),
            Self::Burns => Retry::Safe,
            Self::NoSuchItem { .. } | Self::Unwritable(_) => Retry::Never,
            Self::Mesh(error) => error.retry(),
        }
    }
}

/// Does as it is told and counts the calls that reach it.
pub(crate) struct TestShop {
    pub calls: AtomicU32,
    /// The first so many calls are refused with `Burns`.
    pub burns_for: AtomicU32,
}

#[async_trait::async_trait]
impl Shop for TestShop {
    async fn look(&self, cx: &CallCx, request: Look) -> Result<Seen, ShopError> {
        self.enter()?;
        match request {
            Look::Fail(error) => Err(error),
            Look::Hang => std::future::pending().await,
            Look::Item(item) => Ok(Seen {
                item,
                deadline: cx.deadline.0,
                caller: cx.caller.is_known().then(|| cx.caller.id().to_owned()),
                trace_id: cx.trace.trace_id_hex(),
                thread: format!("{:?}", std::thread::current().id()),
            }),
        }
    }

    async fn buy(&self, cx: &CallCx, request: Buy) -> Result<Bought, ShopError> {
        self.enter()?;
        if request.fail {
            return Err(ShopError::Burns);
        }
        let key = cx.idempotency_key.as_deref().map(str::to_owned);
        Ok(Bought {
            address: request.item.as_ptr() as usize,
            key,
        })
    }

    async fn lend(&self, _cx: &CallCx, request: Lent) -> Result<Lent, ShopError> {
        request.count.fetch_add(1, Ordering::SeqCst);
        Ok(request)
    }
}

impl TestShop {
    fn enter(&self) -> Result<(), ShopError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let burns = |left: u32| left.checked_sub(1);
        match self
            .burns_for
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, burns)
        {
            Ok(_) => Err(ShopError::Burns),
            Err(_) => Ok(()),
        }
    }
}

/// A mesh with one shop behind it, and what a test turns.
pub(crate) struct World {
    pub clock: Arc<ManualClock>,
    pub ctx: Ctx,
    pub telemetry: Telemetry,
    pub mesh: MeshRegistry,
    pub(crate) faults: Faults,
    pub shop: Arc<TestShop>,
    pub tasks: Tasks,
}

/// The binding of an edge, as tests go through them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Direct,
    Strict,
    Http,
}

pub(crate) const WAYS: [Way; 3] = [Way::Direct, Way::Strict, Way::Http];

impl World {
    /// On the system's clock.
    pub(crate) fn new() -> Self {
        Self::with(Ctx {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        })
    }

    /// On a clock that stands until the test moves it.
    pub(crate) fn standing() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
        let random = Arc::new(SystemRandom);
        Self {
            clock: clock.clone(),
            ..Self::with(Ctx { clock, random })
        }
    }

    fn with(ctx: Ctx) -> Self {
        let telemetry = Telemetry::quiet();
        let faults = Faults::new(ctx.clone());
        let shop = TestShop {
            calls: AtomicU32::new(0),
            burns_for: AtomicU32::new(0),
        };
        Self {
            clock: Arc::new(ManualClock::at(Timestamp::default())),
            mesh: MeshRegistry::new(ctx.clone(), telemetry.clone(), faults.clone()),
            faults,
            shop: Arc::new(shop),
            tasks: Tasks::new(),
            telemetry,
            ctx,
        }
    }

    pub(crate) fn dispatch(&self) -> Arc<dyn Dispatch> {
        ShopServer::new(self.shop.clone())
    }

    pub(crate) fn direct(&self, caller: &str) -> ShopClient {
        ShopClient(self.mesh.direct(caller, self.dispatch()))
    }

    pub(crate) async fn client(&self, way: Way) -> ShopClient {
        ShopClient(self.edge(way).await)
    }

    async fn edge(&self, way: Way) -> Edge {
        match way {
            Way::Direct => self.mesh.direct("test", self.dispatch()),
            Way::Strict => self.mesh.strict("test", self.dispatch()),
            Way::Http => {
                let addr = self.serve(None).await;
                self.mesh.http("test", "shop", self.target(addr))
            }
        }
    }

    pub(crate) fn target(&self, addr: SocketAddr) -> HttpTarget {
        self.target_of([addr], Algorithm::P2cEwma)
    }

    pub(crate) fn target_of(
        &self,
        addrs: impl IntoIterator<Item = SocketAddr>,
        algorithm: Algorithm,
    ) -> HttpTarget {
        let addrs: Vec<Endpoint> = addrs.into_iter().map(Endpoint::at).collect();
        let endpoints = StaticDiscovery::new().with("shop", addrs).watch("shop");
        let balancer = Balancer::simple("shop", endpoints, algorithm, self.ctx.clone());
        HttpTarget::new(balancer, Pool::new(PoolConfig::default()))
    }

    /// Serves the shop over HTTP on a free port.
    pub(crate) async fn serve(&self, secret: Option<Arc<str>>) -> SocketAddr {
        self.serve_on(self.ctx.clone(), secret).await
    }

    /// The same in a process that has another clock.
    pub(crate) async fn serve_on(&self, ctx: Ctx, secret: Option<Arc<str>>) -> SocketAddr {
        let telemetry = self.telemetry.clone();
        let server = RpcServer::new([self.dispatch()], secret, ctx, telemetry);
        self.listen(move |request| {
            let server = server.clone();
            async move { server.call(request).await }
        })
        .await
    }

    /// Answers each request that comes to a free port.
    pub(crate) async fn listen<A, F>(&self, answer: A) -> SocketAddr
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tasks.spawn(async move {
                    let service = service_fn(move |request| {
                        let reply = answer(request);
                        async move { Ok::<_, std::convert::Infallible>(reply.await) }
                    });
                    let _ended = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        addr
    }

    /// A call with ten seconds to go.
    pub(crate) fn cx(&self) -> CallCx {
        CallCx::new(&*self.ctx.clock, Duration::from_secs(10))
    }

    pub(crate) fn calls(&self) -> u32 {
        self.shop.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn policy(&self, caller: &str, json: serde_json::Value) {
        let policy = serde_json::from_value(json).expect("a policy");
        self.mesh
            .set_policy(caller, "shop", policy)
            .expect("a valid policy");
    }

    /// What stands on the time axis.
    pub(crate) fn timeline(&self) -> Vec<String> {
        self.telemetry
            .timeline
            .since(0)
            .into_iter()
            .map(|e| e.text)
            .collect()
    }
}

pub(crate) fn item(text: &str) -> Look {
    Look::Item(text.to_owned())
}
