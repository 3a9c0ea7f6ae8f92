//! Spans as a collector receives them from the whole program. The collector is the test's own.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::Tasks;
use parking_lot::Mutex;
use serde_json::Value;
use testkit::{Client, TempDir};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::program::Program;
use crate::sandbox::soon;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_one_trace_at_the_collector_together() {
    story(&[], 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_one_trace_at_the_collector_apart() {
    story(&["--apart", "--replicas", "links=2"], 2).await;
}

async fn story(args: &[&str], processes: usize) {
    let collector = Collector::start().await;
    let dir = TempDir::new().expect("a temporary directory");
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let env = [
        ("OTLP_URL", collector.url.clone()),
        ("SAMPLE_PERCENT", "100.0".to_owned()),
    ]
    .map(|(key, value)| (format!("TRADEWIND__TELEMETRY__{key}"), value));
    let mut program = Program::up(dir.path(), &args, &env);
    let client = Client::new(program.url("gateway"));
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let list = client
        .send(
            http::Method::GET,
            "/api/links",
            &[("traceparent", &parent)],
            "",
        )
        .await;
    assert_eq!(list.expect("answers").status, 200);
    let wanted: BTreeSet<String> = ["gateway", "links"].map(str::to_owned).into();
    soon("both services have told of the trace", async || {
        collector.told(trace).0 == wanted
    })
    .await;
    assert_eq!(collector.told(trace).1, processes, "processes that told");
    program.stop();
}

/// An OTLP/HTTP collector that keeps what it is sent.
struct Collector {
    url: String,
    /// The ids of traces with the services and the processes that told of them.
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: Tasks,
}

/// A span.
struct Seen {
    trace: String,
    service: String,
    process: String,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (tasks, seen) = (Tasks::new(), Arc::<Mutex<Vec<Seen>>>::default());
        let (all, kept) = (tasks.clone(), Arc::clone(&seen));
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                all.spawn(async move {
                    if let Some(request) = exchange(stream).await {
                        kept.lock().extend(spans(&request));
                    }
                });
            }
        });
        Self {
            url,
            seen,
            _tasks: tasks,
        }
    }

    /// What was told of a trace: the services, and in how many processes.
    fn told(&self, trace: &str) -> (BTreeSet<String>, usize) {
        let seen = self.seen.lock();
        let of = seen.iter().filter(|span| span.trace == trace);
        let services = of.clone().map(|span| span.service.clone()).collect();
        let processes: BTreeSet<&str> = of.map(|span| span.process.as_str()).collect();
        (services, processes.len())
    }
}

/// The spans of an export, with the resource that they belong to.
fn spans(request: &Value) -> Vec<Seen> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut seen = Vec::new();
    for resource in list(&request["resourceSpans"]) {
        let named = |name: &str| {
            let attributes = list(&resource["resource"]["attributes"]);
            let found = attributes.iter().find(|a| a["key"] == name);
            let value = found.and_then(|a| a["value"]["stringValue"].as_str());
            value.unwrap_or_default().to_owned()
        };
        for scope in list(&resource["scopeSpans"]) {
            for span in list(&scope["spans"]) {
                seen.push(Seen {
                    trace: span["traceId"].as_str().unwrap_or_default().to_owned(),
                    service: named("service.name"),
                    process: named("service.instance.id"),
                });
            }
        }
    }
    seen
}

/// Reads one request, insists on where it goes, and answers it.
async fn exchange(mut stream: TcpStream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))?;
            if body.len() >= length.parse::<usize>().ok()? {
                let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).await.ok()?;
                return serde_json::from_str(body).ok();
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
