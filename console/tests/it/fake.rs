//! A system of two processes that the tests steer, and a caller of the console.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use console::{
    About, Cluster, ClusterError, Config, Deps, FaultAt, KnobView, NoRuns, Parts, Replica,
    ReplicaState, Runs,
};
use faults::{FaultSpec, FaultView, Faults};
use http_body_util::BodyExt as _;
use kernel::{Ctx, Principal, Tasks, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;
use telemetry::{Sampling, Telemetry, TraceFilter};
use web::{Body, Meta, Request, Response};

pub(crate) struct Fake {
    pub(crate) telemetry: [Telemetry; 2],
    pub(crate) dead: Mutex<BTreeSet<String>>,
    pub(crate) polls: AtomicUsize,
    knob: Mutex<KnobView>,
    pub(crate) faults: Faults,
}

fn ids() -> [&'static str; 2] {
    ["gateway-1", "links-1"]
}

impl Fake {
    fn of(&self, replica: &str) -> Result<&Telemetry, ClusterError> {
        let unreachable = || ClusterError::Unreachable {
            replica: replica.to_owned(),
        };
        if self.dead.lock().contains(replica) {
            return Err(unreachable());
        }
        let at = ids()
            .iter()
            .position(|id| *id == replica)
            .ok_or_else(unreachable)?;
        Ok(&self.telemetry[at])
    }

    /// The gateway answers `times` requests for links, of which `failed` fail.
    pub(crate) fn traffic(&self, times: u64, failed: u64) {
        let metrics = &self.telemetry[0].metrics;
        for (status, n) in [("2xx", times - failed), ("5xx", failed)] {
            let labels = [
                ("service", "links"),
                ("route", "/api/links"),
                ("status", status),
            ];
            metrics
                .counter("http_requests_total", "Answers.", &labels)
                .add(n);
        }
        let labels = [("service", "links"), ("route", "/api/links")];
        let times_of = metrics.histogram("http_request_duration_seconds", "Times.", &labels);
        (0..times).for_each(|_| times_of.observe(Duration::from_millis(3)));
    }
}

#[async_trait]
impl Cluster for Fake {
    fn about(&self) -> About {
        let [topology, store, cache, bus] =
            ["apart", "SQLite", "memory", "in process"].map(str::to_owned);
        About {
            version: "0.1.0".to_owned(),
            topology,
            store,
            cache,
            bus,
        }
    }

    async fn replicas(&self) -> Vec<Replica> {
        let replica = |id: &str| Replica {
            id: id.to_owned(),
            services: vec![id.trim_end_matches("-1").to_owned()],
            state: ReplicaState::Up,
            address: None,
            pid: Some(1),
            restarts: 0,
            since: Timestamp(0),
        };
        ids().iter().map(|id| replica(id)).collect()
    }

    async fn get(&self, replica: &str, path: &str) -> Result<Bytes, ClusterError> {
        let telemetry = self.of(replica)?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let json = match path {
            "/metrics" => {
                self.polls.fetch_add(1, Ordering::SeqCst);
                return Ok(telemetry.metrics.render().into());
            }
            "/admin/timeline" => {
                let after = query
                    .trim_start_matches("after=")
                    .parse()
                    .expect("a number");
                serde_json::to_string(&telemetry.timeline.since(after))
            }
            "/admin/traces" => {
                let failed = query.contains("failed=true");
                let filter = TraceFilter {
                    failed,
                    ..TraceFilter::default()
                };
                serde_json::to_string(&telemetry.traces.list(&filter, 100))
            }
            path => {
                let id = path.trim_start_matches("/admin/traces/");
                let id = u128::from_str_radix(id, 16).expect("hexadecimal digits");
                serde_json::to_string(&telemetry.traces.trace(id))
            }
        };
        Ok(json.expect("plain data").into())
    }

    async fn knobs(&self) -> Result<Vec<KnobView>, ClusterError> {
        Ok(vec![self.knob.lock().clone()])
    }

    async fn set_knob(&self, _: &str, name: &str, value: &str) -> Result<KnobView, ClusterError> {
        let mut knob = self.knob.lock();
        if name != knob.name {
            return Err(ClusterError::NotFound(format!(
                "no knob is called '{name}'"
            )));
        }
        if !knob.allowed.iter().any(|a| a == value) {
            return Err(ClusterError::Refused(format!("it cannot be '{value}'")));
        }
        value.clone_into(&mut knob.value);
        Ok(knob.clone())
    }

    async fn faults(&self) -> Result<Vec<FaultAt>, ClusterError> {
        Ok(self.faults.list().into_iter().map(at).collect())
    }

    async fn inject(&self, spec: FaultSpec) -> Result<FaultAt, ClusterError> {
        let begun = self.faults.inject(spec);
        begun
            .map(at)
            .map_err(|error| ClusterError::Refused(error.to_string()))
    }

    async fn end_fault(&self, id: &str) -> Result<Vec<String>, ClusterError> {
        if self.faults.end(id) {
            return Ok(vec!["links-1".to_owned()]);
        }
        Err(ClusterError::NotFound(format!("no fault is called '{id}'")))
    }
}

fn at(fault: FaultView) -> FaultAt {
    FaultAt {
        fault,
        replicas: vec!["links-1".to_owned()],
        missed: Vec::new(),
    }
}

pub(crate) struct Console {
    pub(crate) fake: Arc<Fake>,
    pub(crate) tasks: Tasks,
    parts: Parts,
}

impl Console {
    pub(crate) fn new() -> Self {
        Self::with_runs(Arc::new(NoRuns))
    }

    pub(crate) fn with_runs(runs: Arc<dyn Runs>) -> Self {
        let ctx = Ctx::system();
        let telemetry = [(); 2].map(|()| Telemetry::new(Sampling::all(), &ctx));
        let knob = KnobView {
            service: "links".to_owned(),
            name: "cache_policy".to_owned(),
            value: "aside".to_owned(),
            default: "aside".to_owned(),
            allowed: vec!["aside".to_owned(), "none".to_owned()],
            trades: "speed for freshness".to_owned(),
            mixed: false,
        };
        let fake = Arc::new(Fake {
            telemetry,
            dead: Mutex::default(),
            polls: AtomicUsize::new(0),
            knob: Mutex::new(knob),
            faults: Faults::default(),
        });
        let config = Config {
            interval: Duration::from_millis(50),
            linger: Duration::from_millis(100),
        };
        let tasks = Tasks::new();
        let deps = Deps {
            cluster: fake.clone(),
            runs,
            ctx,
            tasks: tasks.clone(),
            leaving: web::Leaving::default(),
        };
        Self {
            fake,
            tasks,
            parts: console::build(config, deps),
        }
    }

    pub(crate) async fn send(
        &self,
        caller: Principal,
        request: http::request::Builder,
        body: &str,
    ) -> Response {
        let mut request: Request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        request.extensions_mut().insert(Meta {
            caller,
            ..Meta::default()
        });
        self.parts.handler.call(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let response = self
            .send(Principal::LOCAL, http::Request::get(path), "")
            .await;
        json(response).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let request = http::Request::post(path).header("content-type", "application/json");
        json(self.send(Principal::LOCAL, request, body).await).await
    }
}

pub(crate) async fn json(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = text(response).await;
    (
        status,
        serde_json::from_str(&body).unwrap_or(Value::String(body)),
    )
}

pub(crate) async fn text(response: Response) -> String {
    let bytes = response
        .into_body()
        .collect()
        .await
        .expect("a whole body")
        .to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}
