//! A producer and a consumer, each with a database and processes of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bus::{Bus, BusOptions, Consumer, MeshPush, Nats, NatsOptions, RetryOptions, Route, Via};
use faults::Faults;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use kernel::{Ctx, Tasks};
use mesh::discovery::{Endpoint, StaticDiscovery};
use storage::{Db, DbOptions};
use telemetry::Metrics;
use testkit::TempDir;
use tokio::net::TcpListener;

use crate::ledger::{Audit, Ledger, MIGRATIONS, Published, TOPICS, applied, audit};
use crate::proxy::Proxy;

pub(crate) const NAME: &str = "ledger.work";
pub(crate) const LONG: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Direct,
    Push,
    Nats,
}

pub(crate) fn options() -> BusOptions {
    BusOptions {
        retry: RetryOptions {
            attempts_max: 3,
            pause: Duration::from_millis(20),
            pause_max: Duration::from_millis(100),
        },
        lease: Duration::from_secs(2),
        ..BusOptions::default()
    }
}

/// Two databases, and what stands between them.
pub(crate) struct World {
    pub(crate) way: Way,
    pub(crate) producer: Db,
    pub(crate) consumer: Db,
    pub(crate) nats: Option<testkit::Nats>,
    /// The consumer's way to NATS leads through here.
    pub(crate) proxy: Option<Proxy>,
    /// What the consumer wants, and what the relay knows of it.
    pub(crate) topics: &'static [&'static str],
    pub(crate) metrics: Metrics,
    /// What strikes events on their way.
    pub(crate) faults: Faults,
    /// How long a relay leads without renewing it.
    pub(crate) lease: Duration,
    _directory: TempDir,
}

impl World {
    /// None when a server that it needs is not installed.
    pub(crate) async fn new(engine: Engine, way: Way) -> Option<Self> {
        Self::at(engine, way, Ctx::system()).await
    }

    /// The same, whose databases have this clock.
    pub(crate) async fn at(engine: Engine, way: Way, ctx: Ctx) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let directory = TempDir::new().expect("a directory");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut databases = Vec::new();
        for role in ["producer", "consumer"] {
            let (url, schema) = match engine {
                Engine::Sqlite => {
                    let file = directory.path().join(role);
                    (format!("sqlite://{}.db", file.display()), role.to_owned())
                }
                Engine::Postgres => {
                    let server = testkit::Postgres::shared().await?;
                    (server.url(), format!("{role}_{number}"))
                }
            };
            let options = DbOptions::new(schema).with_ctx(ctx.clone());
            let db = Db::open(&url, options).await.expect("opened");
            db.migrate(MIGRATIONS).await.expect("migrated");
            databases.push(db);
        }
        let nats = match way {
            Way::Nats => Some(testkit::Nats::start().await?),
            _ => None,
        };
        let consumer = databases.pop().expect("two databases");
        let producer = databases.pop().expect("two databases");
        let metrics = Metrics::new();
        Some(Self {
            way,
            producer,
            consumer,
            nats,
            proxy: None,
            topics: TOPICS,
            metrics,
            faults: Faults::default(),
            lease: options().lease,
            _directory: directory,
        })
    }

    fn options(&self) -> BusOptions {
        BusOptions {
            faults: self.faults.clone(),
            lease: self.lease,
            ..options()
        }
    }

    async fn nats(&self, url: &str) -> Nats {
        let options = NatsOptions {
            timeout: Duration::from_secs(2),
            ..NatsOptions::default()
        };
        Nats::open(url, options).await.expect("a fine URL")
    }

    fn nats_url(&self) -> String {
        self.nats.as_ref().expect("a NATS").url()
    }

    /// Starts a consumer's process and a producer's process that relays to it.
    pub(crate) async fn start(&self, ledger: &Ledger) -> Running {
        let consumer = self.start_consumer(ledger).await;
        let producer = self.start_producer(&consumer).await;
        Running { consumer, producer }
    }

    pub(crate) async fn start_consumer(&self, ledger: &Ledger) -> Process {
        let tasks = Tasks::new();
        let bus = Bus::new(
            &Ctx::system(),
            self.metrics.clone(),
            tasks.clone(),
            self.options(),
        );
        let consumers = [Consumer::group(NAME, self.topics, ledger.clone())];
        bus.host(&self.consumer, &consumers).await.expect("hosted");
        let mut port = None;
        match self.way {
            Way::Direct => {}
            Way::Push => port = Some(listen(&bus, &tasks).await),
            Way::Nats => {
                let url = self.proxy.as_ref().map(Proxy::url);
                let nats = self.nats(&url.unwrap_or_else(|| self.nats_url())).await;
                bus.pull(&nats, self.producer.schema(), NAME)
                    .expect("it is hosted here");
            }
        }
        Process { bus, tasks, port }
    }

    pub(crate) async fn start_producer(&self, consumer: &Process) -> Process {
        let via = match (self.way, consumer.port) {
            (Way::Push, Some(port)) => push_to(&[port]),
            (Way::Nats, _) => Via::Nats(Box::new(self.nats(&self.nats_url()).await)),
            _ => Via::Here,
        };
        let route = self.route(via);
        // In one process, the consumer's bus relays; otherwise the producer has its own.
        let (bus, tasks) = match self.way {
            Way::Direct => (consumer.bus.clone(), consumer.tasks.clone()),
            _ => {
                let tasks = Tasks::new();
                (
                    Bus::new(
                        &Ctx::system(),
                        self.metrics.clone(),
                        tasks.clone(),
                        self.options(),
                    ),
                    tasks,
                )
            }
        };
        bus.relay(&self.producer, vec![route])
            .expect("a fine route");
        Process {
            bus,
            tasks,
            port: None,
        }
    }

    pub(crate) fn route(&self, via: Via) -> Route {
        Route {
            consumer: NAME.to_owned(),
            topics: self.topics.iter().map(|t| (*t).to_owned()).collect(),
            via,
        }
    }

    pub(crate) async fn until_applied(&self, count: i64) {
        testkit::eventually(&format!("{count} events are applied"), LONG, || async {
            applied(&self.consumer).await >= count
        })
        .await;
    }

    pub(crate) async fn until_all_applied(&self, published: &Published) {
        self.until_applied(published.count).await;
        assert_eq!(
            audit(&self.consumer, published).await,
            Audit::default(),
            "{:?}",
            self.way
        );
    }

    pub(crate) fn counter(&self, name: &'static str) -> u64 {
        self.metrics.counter(name, "", &[("consumer", NAME)]).get()
    }

    pub(crate) fn replays(&self) -> u64 {
        let labels = [("producer", self.producer.schema()), ("consumer", NAME)];
        self.metrics.counter("bus_replays_total", "", &labels).get()
            + self
                .metrics
                .counter("bus_carrier_failures_total", "", &labels)
                .get()
    }
}

/// Pushes to processes at these ports, to the first one first.
pub(crate) fn push_to(ports: &[u16]) -> Via {
    let at = |port: &u16| Endpoint::at(([127, 0, 0, 1], *port).into());
    let endpoints: Vec<Endpoint> = ports.iter().map(at).collect();
    let found = StaticDiscovery::new().with("ledger", endpoints);
    let post = MeshPush::new(Arc::new(found), Some("a secret"));
    Via::Push {
        service: "ledger".to_owned(),
        post: Arc::new(post.with_process_max(Duration::from_secs(2))),
    }
}

/// A process of a service, as far as the bus goes.
pub(crate) struct Process {
    pub(crate) bus: Bus,
    pub(crate) tasks: Tasks,
    pub(crate) port: Option<u16>,
}

impl Process {
    /// Nothing runs in it.
    pub(crate) fn nobody() -> Self {
        let tasks = Tasks::new();
        let bus = Bus::new(&Ctx::system(), Metrics::new(), tasks.clone(), options());
        Self {
            bus,
            tasks,
            port: None,
        }
    }
}

pub(crate) struct Running {
    pub(crate) consumer: Process,
    pub(crate) producer: Process,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.producer.tasks.shutdown().await;
        self.consumer.tasks.shutdown().await;
    }
}

/// Serves `POST /bus/deliver` as the application does.
async fn listen(bus: &Bus, tasks: &Tasks) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let (bus, tasks) = (bus.clone(), tasks.clone());
    tasks.clone().spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = tasks.stopping() => return,
            };
            let (stream, _) = accepted.expect("accepted");
            let (bus, stop) = (bus.clone(), tasks.clone());
            tasks.spawn(async move {
                let service = hyper::service::service_fn(|r| deliver(bus.clone(), r));
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::select! { _ = serving => {}, () = stop.stopping() => {} }
            });
        }
    });
    port
}

async fn deliver(
    bus: Bus,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    assert_eq!(request.headers()["x-tradewind-cluster"], "a secret");
    assert_eq!(request.uri().query(), Some("consumer=ledger.work"));
    let batch = request.into_body().collect().await?.to_bytes();
    let mut response = Response::new(Full::default());
    if let Err(error) = bus.receive(NAME, &batch).await {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        *response.body_mut() = error.to_string().into();
    }
    Ok(response)
}
