//! FAKE processes: real metrics and traces, filled with made-up traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use console::{About, Cluster, ClusterError, FaultAt, KnobView, Replica, ReplicaState};
use faults::{FaultSpec, FaultView, Faults};
use kernel::{Ctx, Tasks, Timestamp};
use parking_lot::Mutex;
use telemetry::{EventKind, Sampling, SpanKind, Telemetry, TraceFilter};

const CALLS: &[(&str, &str, u64, u64)] = &[
    ("gateway", "links", 82, 2),
    ("gateway", "orders", 34, 9),
    ("gateway", "chat", 9, 1),
    ("orders", "payments", 33, 12),
    ("orders", "inventory", 34, 1),
];
const SERVICES: &[&str] = &[
    "gateway",
    "links",
    "orders",
    "payments",
    "inventory",
    "chat",
    "analytics",
];

pub(super) struct FakeCluster {
    telemetry: Telemetry,
    since: Timestamp,
    knobs: Mutex<Vec<KnobView>>,
    tick: AtomicU64,
    faults: Faults,
}

fn knob(service: &str, name: &str, allowed: &[&str], trades: &str) -> KnobView {
    KnobView {
        service: service.to_owned(),
        name: name.to_owned(),
        value: allowed[0].to_owned(),
        default: allowed[0].to_owned(),
        allowed: allowed.iter().map(|a| (*a).to_owned()).collect(),
        trades: trades.to_owned(),
        mixed: false,
    }
}

impl FakeCluster {
    pub(super) fn start(ctx: &Ctx, tasks: &Tasks) -> Arc<Self> {
        let telemetry = Telemetry::new(Sampling::default(), ctx);
        telemetry::process::register(&telemetry.metrics);
        telemetry
            .timeline
            .record(EventKind::Start, "fake system started", &[]);
        let knobs = vec![
            knob(
                "links",
                "cache_policy",
                &["aside", "none", "write_through"],
                "A cache answers faster; without one every visit reads the store and sees each edit at once.",
            ),
            knob(
                "links",
                "id_scheme",
                &["random", "counter", "hash"],
                "Random codes cannot be guessed; a counter gives the shortest ones; a hash gives one code per target.",
            ),
            knob(
                "links",
                "click_recording",
                &["durable", "grouped", "lossy"],
                "Durable loses no click and waits for the disk; lossy never waits and may lose the last second.",
            ),
            knob(
                "gateway",
                "balancer",
                &[
                    "p2c_ewma",
                    "round_robin",
                    "least_requests",
                    "consistent_hash",
                ],
                "Two random choices avoid slow replicas; round robin is the simplest to reason about.",
            ),
        ];
        let cluster = Arc::new(Self {
            telemetry,
            since: ctx.now(),
            knobs: Mutex::new(knobs),
            tick: AtomicU64::new(0),
            faults: Faults::default(),
        });
        let running = Arc::clone(&cluster);
        tasks.spawn(async move {
            loop {
                running.traffic();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        cluster
    }

    /// A tenth of a second of traffic; payments is in trouble for half of each minute and a half.
    fn traffic(&self) {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed);
        let wave = 10 + (tick / 20) % 7;
        let trouble = (tick / 450) % 2 == 1;
        if tick % 900 == 450 {
            let until = (self.since.micros() + i64::try_from(tick + 450).unwrap_or(0) * 100_000)
                .to_string();
            let attributes = [("service", "payments"), ("until", until.as_str())];
            let text = "latency 800 ms on payments";
            self.telemetry
                .timeline
                .record(EventKind::Fault, text, &attributes);
        }
        for (from, to, calls, ms) in CALLS {
            let calls = calls * wave / 10;
            let slow = trouble && *to == "payments";
            for n in 0..calls {
                let ms = if slow && n % 3 == 0 {
                    812
                } else {
                    ms * (4 + n % 3) / 5
                };
                let failed = slow && n % 12 == 0;
                self.call(from, to, Duration::from_micros(ms * 1_000 + n * 7), failed);
            }
            self.trace(from, to, slow);
        }
        let labels = [("producer", "links"), ("consumer", "analytics.clicks")];
        self.telemetry
            .metrics
            .counter("bus_carried_total", "Events.", &labels)
            .add(8 * wave);
    }

    /// What comes over the gateway is an answer over HTTP; the rest are calls inside.
    fn call(&self, from: &str, to: &str, took: Duration, failed: bool) {
        let metrics = &self.telemetry.metrics;
        if from == "gateway" {
            let status = if failed { "5xx" } else { "2xx" };
            let labels = [("service", to), ("route", "/api"), ("status", status)];
            metrics
                .counter("http_requests_total", "Answers.", &labels)
                .inc();
            let labels = [("service", to), ("route", "/api")];
            metrics
                .histogram("http_request_duration_seconds", "Times.", &labels)
                .observe(took);
            return;
        }
        let code = if failed { "unavailable" } else { "ok" };
        let labels = [("caller", from), ("callee", to), ("code", code)];
        metrics.counter("mesh_calls_total", "Calls.", &labels).inc();
        let ends = [("caller", from), ("callee", to)];
        metrics
            .histogram("mesh_call_seconds", "Calls.", &ends)
            .observe(took);
    }

    fn trace(&self, from: &'static str, to: &'static str, slow: bool) {
        let traces = &self.telemetry.traces;
        let root = traces.span(format!("GET /{to}"), from, None, SpanKind::Server);
        let mut client = traces.span("call", from, Some(root.context()), SpanKind::Client);
        let mut server = traces.span("handle", to, Some(client.context()), SpanKind::Server);
        server.attr("store", "<b>bold</b>");
        if slow {
            server.error("payments is unavailable; it took longer than 250 ms");
            client.attr("attempt", 2);
        }
        traces
            .span(
                "SELECT link",
                to,
                Some(server.context()),
                SpanKind::Internal,
            )
            .end();
    }
}

#[async_trait]
impl Cluster for FakeCluster {
    fn about(&self) -> About {
        About {
            version: "0.1.0".to_owned(),
            topology: "apart".to_owned(),
            store: "SQLite".to_owned(),
            cache: "memory".to_owned(),
            bus: "in process".to_owned(),
        }
    }

    async fn replicas(&self) -> Vec<Replica> {
        SERVICES
            .iter()
            .flat_map(|service| {
                (1..=if *service == "links" { 3 } else { 1 }).map(move |n| (service, n))
            })
            .map(|(service, n)| Replica {
                id: format!("{service}-{n}"),
                services: vec![(*service).to_owned()],
                state: ReplicaState::Up,
                address: Some("127.0.0.1:1".to_owned()),
                pid: Some(std::process::id()),
                restarts: u32::from(n == 2),
                since: self.since,
            })
            .collect()
    }

    /// The first process has all the figures; the others answer without any.
    async fn get(&self, replica: &str, path: &str) -> Result<Bytes, ClusterError> {
        let first = replica == "gateway-1";
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asked = |name: &str| {
            query
                .split('&')
                .find_map(|p| p.strip_prefix(name))
                .unwrap_or("")
        };
        if path == "/metrics" {
            let text = self.telemetry.metrics.render();
            let own = text
                .lines()
                .filter(|l| l.starts_with("process_"))
                .collect::<Vec<_>>()
                .join("\n");
            return Ok(if first { text.into() } else { own.into() });
        }
        let json = match path {
            _ if !first => "[]".to_owned(),
            "/admin/timeline" => {
                let after = asked("after=").parse().unwrap_or(0);
                serde_json::to_string(&self.telemetry.timeline.since(after)).unwrap_or_default()
            }
            "/admin/traces" => {
                let filter = TraceFilter {
                    service: Some(asked("service=").to_owned()).filter(|s| !s.is_empty()),
                    failed: asked("failed=") == "true",
                    slowest: asked("slowest=") == "true",
                };
                serde_json::to_string(&self.telemetry.traces.list(&filter, 100)).unwrap_or_default()
            }
            _ => {
                let id = path.rsplit('/').next().unwrap_or_default();
                let id = u128::from_str_radix(id, 16).unwrap_or(0);
                serde_json::to_string(&self.telemetry.traces.trace(id)).unwrap_or_default()
            }
        };
        Ok(json.into())
    }

    async fn knobs(&self) -> Result<Vec<KnobView>, ClusterError> {
        Ok(self.knobs.lock().clone())
    }

    async fn set_knob(
        &self,
        service: &str,
        name: &str,
        value: &str,
    ) -> Result<KnobView, ClusterError> {
        let mut knobs = self.knobs.lock();
        let knob = knobs
            .iter_mut()
            .find(|k| k.service == service && k.name == name)
            .ok_or_else(|| {
                ClusterError::NotFound(format!("no knob is called '{service}.{name}'"))
            })?;
        if !knob.allowed.iter().any(|a| a == value) {
            return Err(ClusterError::Refused(format!(
                "knob '{name}' cannot be '{value}'"
            )));
        }
        let text = format!("{service} {name}: {} -> {value}", knob.value);
        value.clone_into(&mut knob.value);
        self.telemetry
            .timeline
            .record(EventKind::Knob, text, &[("service", service)]);
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
