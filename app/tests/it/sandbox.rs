//! A system of the test's own: in this process, or as the built program with processes apart.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kernel::Ctx;
use serde_json::{Value, json};
use testkit::{Client, Postgres, Reply, TempDir};
use tradewind::config::{Config, HandOver, Topology as Layout};
use tradewind::{Env, Role, Running, start};

use crate::program::Program;

/// How calls travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topology {
    /// In one process, as values.
    Direct,
    /// In one process, through the codecs.
    Strict,
    /// One process per service, three of links.
    Apart,
}

/// Where data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

/// An agent that is a person at a computer.
pub(crate) const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

/// A running system with a data directory of its own.
pub(crate) struct Sandbox {
    /// Talks to the gateway.
    pub(crate) client: Client,
    /// Talks to the internal listener of the first process.
    pub(crate) admin: Client,
    secret: String,
    system: System,
    setting: Setting,
}

enum System {
    Here(Option<Running>),
    There(Program),
}

struct Setting {
    dir: TempDir,
    topology: Topology,
    /// The URL and the prefix of schemas.
    postgres: Option<(String, String)>,
    /// Whether the lab's stage is there, whose back takes [`WORK_MS`] for a job.
    stage: bool,
}

/// How long a job of the stage's back takes: long enough for two requests to meet.
pub(crate) const WORK_MS: u64 = 400;

impl Sandbox {
    /// Starts a system; nothing when the store's server is not installed.
    pub(crate) async fn start(topology: Topology, store: Store) -> Option<Self> {
        Self::start_with(topology, store, |_| {}).await
    }

    /// The same after `prepare` has looked at the data directory.
    pub(crate) async fn start_with(
        topology: Topology,
        store: Store,
        prepare: impl FnOnce(&Path),
    ) -> Option<Self> {
        Self::run_on(topology, store, |setting| prepare(setting.dir.path())).await
    }

    /// A system with the lab's stage.
    pub(crate) async fn with_stage(topology: Topology) -> Self {
        let staged = Self::run_on(topology, Store::Sqlite, |setting| setting.stage = true);
        staged.await.expect("SQLite needs no server")
    }

    async fn run_on(
        topology: Topology,
        store: Store,
        prepare: impl FnOnce(&mut Setting),
    ) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let postgres = match store {
            Store::Sqlite => None,
            Store::Postgres => {
                let url = Postgres::shared().await?.url();
                Some((url, format!("t{number}_")))
            }
        };
        let mut setting = Setting {
            dir: TempDir::new().expect("a temporary directory"),
            topology,
            postgres,
            stage: false,
        };
        prepare(&mut setting);
        let (system, client, admin) = setting.run().await;
        let secret = setting.secret();
        Some(Self {
            client,
            admin,
            secret,
            system,
            setting,
        })
    }

    /// Ends the system as an operator would, and starts it on the same data.
    pub(crate) async fn restart(mut self) -> Self {
        self.stop().await;
        let (system, client, admin) = self.setting.run().await;
        (self.system, self.client, self.admin) = (system, client, admin);
        self
    }

    async fn stop(&mut self) {
        match &mut self.system {
            System::Here(running) => {
                if let Some(running) = running.take() {
                    running.drain().await;
                }
            }
            System::There(program) => program.stop(),
        }
    }

    /// Makes a link and answers it.
    pub(crate) async fn create(&self, link: &Value) -> Value {
        let reply = self
            .client
            .json(http::Method::POST, "/api/links", link)
            .await;
        let reply = reply.expect("the gateway answers");
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// Makes a link to `url` and answers its code.
    pub(crate) async fn code_for(&self, url: &str) -> String {
        let link = self.create(&json!({ "url": url })).await;
        link["code"].as_str().expect("a code").to_owned()
    }

    /// Visits a short link as a person.
    pub(crate) async fn visit(&self, code: &str) -> Reply {
        let headers = [("user-agent", BROWSER)];
        let reply = self
            .client
            .send(http::Method::GET, &format!("/{code}"), &headers, "")
            .await;
        reply.expect("the gateway answers")
    }

    /// The clicks counted on a link.
    pub(crate) async fn clicks(&self, code: &str) -> u64 {
        let reply = self.client.get(&format!("/api/links/{code}/stats")).await;
        let reply = reply.expect("the gateway answers");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["total_clicks"].as_u64().expect("a number")
    }

    /// Turns a knob of links.
    pub(crate) async fn turn(&self, name: &str, value: &str) -> Reply {
        let set = json!({ "service": "links", "name": name, "value": value });
        self.tell(&self.admin, "/system/knobs", &set).await
    }

    /// The internal addresses of every process that runs links, and of no other.
    pub(crate) async fn links_processes(&self) -> Vec<String> {
        self.processes_of("links").await
    }

    /// The internal addresses of every process that runs `service`, and of no other.
    pub(crate) async fn processes_of(&self, service: &str) -> Vec<String> {
        let status = self.internal(&self.admin, "/system").await;
        let replicas = status["replicas"].as_array().expect("a list").clone();
        let has_it = |r: &&Value| {
            r["services"]
                .as_array()
                .is_some_and(|s| s.iter().any(|name| name == service))
        };
        let address = |r: &Value| format!("http://{}", r["address"].as_str().unwrap_or_default());
        replicas.iter().filter(has_it).map(address).collect()
    }

    /// What a process answers to a POST of an internal path.
    pub(crate) async fn tell(&self, process: &Client, path: &str, json: &Value) -> Reply {
        let secret = [("x-tradewind-cluster", self.secret.as_str())];
        let reply = process.json_with(http::Method::POST, path, &secret, json);
        reply.await.expect("the process answers")
    }

    /// What a process answers to a GET of an internal path.
    pub(crate) async fn internal(&self, process: &Client, path: &str) -> Value {
        let secret = [("x-tradewind-cluster", self.secret.as_str())];
        let reply = process.send(http::Method::GET, path, &secret, "").await;
        reply.expect("the process answers").json()
    }

    /// Sends a change to the whole system, as the command line does.
    pub(crate) async fn change(&self, method: http::Method, path: &str, body: &Value) -> Reply {
        let secret = [("x-tradewind-cluster", self.secret.as_str())];
        let reply = self.admin.json_with(method, path, &secret, body).await;
        reply.expect("the admin answers")
    }

    /// Begins a fault; answers it.
    pub(crate) async fn inject(&self, fault: &Value) -> Value {
        let reply = self
            .change(http::Method::POST, "/system/faults", fault)
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// Ends a fault.
    pub(crate) async fn end(&self, fault: &Value) {
        let id = fault["id"].as_str().expect("an id");
        let path = format!("/system/faults/{id}");
        let reply = self.change(http::Method::DELETE, &path, &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// The internal address of the first process.
    pub(crate) fn admin_url(&self) -> String {
        match &self.system {
            System::There(program) => program.url("admin"),
            System::Here(running) => {
                let ready = running.as_ref().expect("it runs").ready();
                ready.url("admin").expect("a URL").to_owned()
            }
        }
    }

    /// The program behind a system that is apart.
    pub(crate) fn program(&self) -> Option<&Program> {
        match &self.system {
            System::There(program) => Some(program),
            System::Here(_) => None,
        }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.setting.dir.path().to_owned()
    }
}

impl Setting {
    async fn run(&self) -> (System, Client, Client) {
        let (system, gateway, admin) = match self.topology {
            Topology::Apart => {
                let program = self.spawn();
                let (gateway, admin) = (program.url("gateway"), program.url("admin"));
                (System::There(program), gateway, admin)
            }
            Topology::Direct | Topology::Strict => {
                let running = self.compose().await;
                let url = |name| running.ready().url(name).expect("a URL").to_owned();
                let (gateway, admin) = (url("gateway"), url("admin"));
                (System::Here(Some(running)), gateway, admin)
            }
        };
        (system, Client::new(gateway), Client::new(admin))
    }

    fn spawn(&self) -> Program {
        let mut args = vec![
            "--apart".to_owned(),
            "--replicas".to_owned(),
            "links=3".to_owned(),
        ];
        let mut env = Vec::new();
        if self.stage {
            let keys = [
                ("LAB__STAGE", "true".to_owned()),
                ("STAGE__BACK__WORK_MS", WORK_MS.to_string()),
            ];
            env.extend(keys.map(|(key, value)| (format!("TRADEWIND__{key}"), value)));
        }
        if let Some((url, prefix)) = &self.postgres {
            args.extend(["--store".to_owned(), url.clone()]);
            env.push(("TRADEWIND__STORE__SCHEMA_PREFIX".to_owned(), prefix.clone()));
        }
        Program::up(self.dir.path(), &args, &env)
    }

    async fn compose(&self) -> Running {
        let mut config = Config {
            data: self.dir.path().to_owned(),
            ..Config::default()
        };
        config.listen.set_port(0);
        config.topology = Layout::Together;
        config.gateway.workers = 1;
        if self.topology == Topology::Strict {
            config.hand_over = HandOver::Strict;
        }
        if self.stage {
            config.lab.stage = true;
            config.stage.back.work_ms = WORK_MS;
        }
        if let Some((url, prefix)) = &self.postgres {
            config.store.url = Some(url.clone());
            config.store.schema_prefix.clone_from(prefix);
            config.store.connections_max = 4;
        }
        let exe = PathBuf::from(env!("CARGO_BIN_EXE_tradewind"));
        let (ctx, role) = (Ctx::system(), Role::Together);
        let env = Env {
            ctx,
            exe,
            role,
            listener: None,
            demo: false,
        };
        start(config, env).await.expect("the system starts")
    }

    fn secret(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("cluster.secret")).expect("the secret")
    }
}

/// Waits until `condition` holds, far longer than something that is seen "within a second" takes
/// on a machine that is busy with other tests.
pub(crate) async fn soon<F: Future<Output = bool>>(what: &str, condition: impl FnMut() -> F) {
    testkit::eventually(what, Duration::from_secs(60), condition).await;
}
