//! The service with a database and a bus of its own, called through its contract.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusOptions, Route, Via};
use contracts::__name__::{TOPIC_CHANGED, __Name__Client, __Name__Server};
use kernel::{Ctx, Knobs, Principal, Tasks};
use mesh::{CallCx, Edge};
use storage::{Db, DbOptions};
use telemetry::{Metrics, Telemetry};
use testkit::{Postgres, TempDir};

/// How calls travel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Binding {
    Direct,
    Strict,
}

/// A running service.
pub(crate) struct World {
    pub(crate) client: __Name__Client,
    pub(crate) handler: Arc<dyn web::Handler>,
    pub(crate) knobs: Knobs,
    ctx: Ctx,
    tasks: Tasks,
    _folder: Option<TempDir>,
}

impl World {
    /// One on a SQLite file.
    pub(crate) async fn on_sqlite(binding: Binding) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("__name__.db").display());
        Self::new(binding, &url, "__name__", Some(folder)).await
    }

    /// One in a schema of the shared PostgreSQL, if it is installed.
    pub(crate) async fn on_postgres(binding: Binding) -> Option<Self> {
        let url = Postgres::shared().await?.url();
        let schema = format!("__name___{binding:?}").to_lowercase();
        Some(Self::new(binding, &url, &schema, None).await)
    }

    async fn new(binding: Binding, url: &str, schema: &str, folder: Option<TempDir>) -> Self {
        let ctx = Ctx::system();
        let db = Db::open(url, DbOptions::new(schema)).await.expect("the database opens");
        let deps = __name__::Deps { ctx: ctx.clone(), db: db.clone(), telemetry: Telemetry::quiet() };
        let parts = __name__::build(__name__::Config::default(), deps);
        db.migrate(parts.migrations).await.expect("the schema is made");
        db.prepare_all(__name__::STATEMENTS).await.expect("every statement is one");
        let tasks = Tasks::new();
        let bus = Bus::new(&ctx, Metrics::new(), tasks.clone(), BusOptions::default());
        bus.host(&db, &parts.consumers).await.expect("the consumers are there");
        let here = |consumer: &bus::Consumer| Route {
            consumer: consumer.name.to_owned(),
            topics: vec![TOPIC_CHANGED.to_owned()],
            via: Via::Here,
        };
        bus.relay(&db, parts.consumers.iter().map(here).collect()).expect("the relay runs");
        let server = __Name__Server::new(parts.service);
        let edge = match binding {
            Binding::Direct => Edge::direct(server),
            Binding::Strict => Edge::strict(server),
        };
        let (handler, knobs) = (parts.handler, parts.knobs);
        Self { client: __Name__Client(edge), handler, knobs, ctx, tasks, _folder: folder }
    }

    /// What a call needs.
    pub(crate) fn cx(&self) -> CallCx {
        CallCx::new(&*self.ctx.clock, Duration::from_secs(30)).with_caller(Principal::service("somebody"))
    }

    /// Ends the background work.
    pub(crate) async fn end(self) {
        self.tasks.shutdown().await;
    }
}
