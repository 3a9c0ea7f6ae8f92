//! Replicas of the service over one database, reached without sockets, with a clock that is set.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusOptions};
use bytes::Bytes;
use cache::Tier;
use contracts::links::Links;
use http::{HeaderMap, Method, StatusCode};
use kernel::{Ctx, Knobs, ManualClock, Principal, Random, SystemRandom, Tasks, Timestamp};
use links::{Config, Deps, Parts};
use serde_json::Value;
use storage::{Db, DbOptions, Tx};
use telemetry::Telemetry;
use testkit::{Postgres, TempDir, eventually};
use web::{Body, ClientAddr, Handler, Meta, Request, read_body};

/// 2026-11-23T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_795_435_200);
const FOLDED_SOON: Duration = Duration::from_secs(60);
/// The fold looks for clicks once in this time, or more often.
const LOOK: Duration = Duration::from_secs(1);
pub(crate) const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
pub(crate) const LAPTOP: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
pub(crate) const GOOGLE: &str =
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// One story on one engine: `$name::sqlite` and `$name::postgres`.
macro_rules! story {
    ($(#[$meta:meta])* async fn $name:ident($world:ident: $nodes:literal) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[expect(clippy::allow_attributes, reason = "a story may need nothing")]
            #[allow(unused_imports)]
            use super::*;

            async fn story($world: $crate::world::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story($crate::world::World::sqlite($nodes).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(world) = $crate::world::World::postgres($nodes).await {
                    story(world).await;
                }
            }
        }
    };
}
pub(crate) use story;

/// The replicas, and what they share.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) nodes: Vec<Node>,
    url: String,
    schema: String,
    _directory: Option<TempDir>,
}

/// One replica.
pub(crate) struct Node {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) service: Arc<dyn Links>,
    pub(crate) knobs: Knobs,
    pub(crate) db: Db,
    pub(crate) telemetry: Telemetry,
    pub(crate) tasks: Tasks,
    clock: Arc<ManualClock>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e} in {} {}", self.status, self.text()))
    }
}

impl World {
    pub(crate) async fn sqlite(nodes: usize) -> Self {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite://{}/links.db", directory.path().display());
        Self::start(url, "links".to_owned(), Some(directory), nodes).await
    }

    pub(crate) async fn postgres(nodes: usize) -> Option<Self> {
        let url = Postgres::shared().await?.url();
        let schema = format!("links_{:x}", SystemRandom.next_u64());
        Some(Self::start(url, schema, None, nodes).await)
    }

    async fn start(url: String, schema: String, directory: Option<TempDir>, nodes: usize) -> Self {
        let clock = Arc::new(ManualClock::at(NOON));
        let mut world = Self {
            clock,
            nodes: Vec::new(),
            url,
            schema,
            _directory: directory,
        };
        for _ in 0..nodes {
            world.add(Config::default()).await;
        }
        world
    }

    /// One more replica.
    pub(crate) async fn add(&mut self, config: Config) -> &Node {
        self.add_with(config, Arc::new(SystemRandom), Tier::Memory)
            .await
    }

    /// One more replica with these dice and this cache.
    pub(crate) async fn add_with(
        &mut self,
        config: Config,
        random: Arc<dyn Random>,
        tier: Tier,
    ) -> &Node {
        let ctx = Ctx {
            clock: self.clock.clone(),
            random,
        };
        let telemetry = Telemetry::quiet();
        let mut options = DbOptions::new(self.schema.clone())
            .with_ctx(ctx.clone())
            .with_metrics(telemetry.metrics.clone());
        options.connections_max = 6;
        let db = Db::open(&self.url, options).await.unwrap();
        db.migrate(links::MIGRATIONS).await.unwrap();
        let deps = Deps {
            ctx: ctx.clone(),
            db: db.clone(),
            tier,
            telemetry: telemetry.clone(),
        };
        let Parts {
            handler,
            service,
            knobs,
            consumers,
            jobs,
            ..
        } = links::build(config, deps);
        let tasks = Tasks::new();
        let bus = Bus::new(
            &ctx,
            telemetry.metrics.clone(),
            tasks.clone(),
            BusOptions::default(),
        );
        bus.host(&db, &consumers).await.unwrap();
        for job in jobs {
            tasks.spawn((job.run)(tasks.clone()));
        }
        self.nodes.push(Node {
            handler,
            service,
            knobs,
            db,
            telemetry,
            tasks,
            clock: Arc::clone(&self.clock),
        });
        self.nodes.last().unwrap()
    }

    /// The first replica.
    pub(crate) fn node(&self) -> &Node {
        &self.nodes[0]
    }
}

/// Where a request comes from.
pub(crate) fn client(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, n))
}

impl Node {
    /// A request from client 1.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        self.send_from(client(1), method, path, headers, body).await
    }

    pub(crate) async fn send_from(
        &self,
        from: IpAddr,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let meta = Meta {
            caller: Principal::LOCAL,
            client: ClientAddr(from),
            ..Meta::default()
        };
        self.send_as(meta, method, path, headers, body).await
    }

    /// A request of which this is known.
    pub(crate) async fn send_as(
        &self,
        meta: Meta,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let mut request = http::Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "tw.example");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request: Request = request.body(Body::from(body.into())).unwrap();
        request.extensions_mut().insert(meta);
        let (parts, body) = self.handler.call(request).await.into_parts();
        let body = read_body(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[("user-agent", LAPTOP)], "")
            .await
    }

    pub(crate) async fn json(&self, method: Method, path: &str, body: Value) -> Reply {
        self.json_with(method, path, &[], body).await
    }

    pub(crate) async fn json_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, path, &all, body.to_string()).await
    }

    /// Makes a link; answers it.
    pub(crate) async fn make(&self, body: Value) -> Value {
        let reply = self.json(Method::POST, "/api/links", body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// Makes a link; answers its path.
    pub(crate) async fn path_of(&self, body: Value) -> String {
        format!("/{}", self.make(body).await["code"].as_str().unwrap())
    }

    pub(crate) async fn patch(&self, name: &str, body: Value) -> Value {
        let name = name.trim_start_matches('/');
        let reply = self
            .json(Method::PATCH, &format!("/api/links/{name}"), body)
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    pub(crate) async fn stats(&self, name: &str) -> Value {
        let name = name.trim_start_matches('/');
        let reply = self.get(&format!("/api/links/{name}/stats")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    pub(crate) fn set(&self, knob: &str, value: &str) {
        self.knobs.set(knob, value).unwrap();
    }

    /// One number out of the store.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let read = async move |tx: &mut Tx<'_>| tx.query_dyn(sql, &[]).await?[0].get::<i64>(0);
        self.db.read::<i64, storage::Error, _>(read).await.unwrap()
    }

    /// Waits until every click that this replica took is committed, and every group is folded.
    pub(crate) async fn folded(&self) {
        eventually("everything is folded", FOLDED_SOON, async || {
            // The fold goes by the clock, on which nothing passes by itself.
            self.clock.pass(LOOK);
            let committed = self.metric("links_clicks_committed_total");
            committed >= self.metric("links_clicks_recorded_total")
                && self.number("SELECT count(*) FROM click_batches").await == 0
        })
        .await;
    }

    /// What a counter of this replica says.
    pub(crate) fn metric(&self, line: &str) -> u64 {
        let all = self.telemetry.metrics.render();
        let found = all
            .lines()
            .find_map(|l| l.strip_prefix(line)?.strip_prefix(' '));
        found.map_or(0, |n| n.parse::<f64>().unwrap() as u64)
    }

    /// Ends the replica in good order.
    pub(crate) async fn stop(&self) {
        tokio::time::timeout(Duration::from_secs(60), self.tasks.shutdown())
            .await
            .unwrap();
    }
}
