//! Spans as an OTLP/HTTP collector receives them. The collector is the test's own.

use std::collections::VecDeque;
use std::time::Duration;

use kernel::{Ctx, Tasks};
use serde_json::Value;
use telemetry::{ExportError, Metrics, OtlpConfig, Sampling, SpanKind, Traces};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(60);

struct Collector {
    endpoint: String,
    requests: mpsc::Receiver<(String, Value)>,
}

/// Answers with `statuses` in turn, then with 200.
async fn collector(tasks: &Tasks, statuses: &[u16]) -> Collector {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (sender, requests) = mpsc::channel(64);
    let mut statuses: VecDeque<u16> = statuses.iter().copied().collect();
    let token = tasks.token();
    tasks.spawn(async move {
        while let Some(Ok((stream, _))) = token.run_until_cancelled(listener.accept()).await {
            let request = exchange(stream, statuses.pop_front().unwrap_or(200)).await;
            if let Some(request) = request {
                let _ = sender.send(request).await;
            }
        }
    });
    Collector {
        endpoint: format!("http://{address}"),
        requests,
    }
}

async fn exchange(mut stream: TcpStream, status: u16) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "))?;
            if body.len() >= length.parse::<usize>().ok()? {
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\n\r\n{{}}");
                stream.write_all(answer.as_bytes()).await.ok()?;
                return Some((head.to_owned(), serde_json::from_str(body).ok()?));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

impl Collector {
    async fn next(&mut self) -> (String, Value) {
        let next = tokio::time::timeout(PATIENCE, self.requests.recv()).await;
        next.expect("spans arrive in time")
            .expect("the collector runs")
    }

    fn config(&self) -> OtlpConfig {
        OtlpConfig {
            endpoint: self.endpoint.clone(),
            headers: [("x-tenant".to_owned(), "harbour".to_owned())].into(),
            instance: "links-1".to_owned(),
            resource: [("deployment.environment.name".to_owned(), "test".to_owned())].into(),
        }
    }
}

fn spans_of(request: &Value) -> Vec<&Value> {
    let resources = request["resourceSpans"].as_array().expect("a list").iter();
    resources
        .flat_map(|r| r["scopeSpans"][0]["spans"].as_array().expect("a list"))
        .collect()
}

#[tokio::test]
async fn a_collector_receives_a_trace_with_its_parents_and_errors() {
    let tasks = Tasks::new();
    let mut collector = collector(&tasks, &[]).await;
    let traces = Traces::new(Sampling::all(), &Ctx::system(), &Metrics::new());
    traces
        .export(collector.config(), &tasks)
        .expect("a good endpoint");

    let root = traces.span("GET /{code}", "gateway", None, SpanKind::Server);
    let mut child = traces.span("resolve", "links", Some(root.context()), SpanKind::Client);
    child.attr("attempt", 2);
    child.error("unavailable");
    let (root_context, child_context) = (root.context(), child.context());
    child.end();
    root.end();

    let (head, request) = collector.next().await;
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("x-tenant: harbour"), "{head}");
    let spans = spans_of(&request);
    assert_eq!(spans.len(), 2);
    let child = spans
        .iter()
        .find(|s| s["name"] == "resolve")
        .expect("it was sent");
    assert_eq!(child["traceId"], root_context.trace_id_hex());
    assert_eq!(
        child["parentSpanId"],
        format!("{:016x}", root_context.span_id)
    );
    assert_eq!(child["spanId"], format!("{:016x}", child_context.span_id));
    assert_eq!(child["kind"], 3);
    assert_eq!(child["status"]["code"], 2);
    assert_eq!(child["attributes"][0]["value"]["stringValue"], "2");
    let nanos = |key: &str| child[key].as_str().and_then(|t| t.parse::<u64>().ok());
    assert!(nanos("startTimeUnixNano").expect("a number") > 1_600_000_000_000_000_000);
    assert!(nanos("endTimeUnixNano") >= nanos("startTimeUnixNano"));
    let resource = request["resourceSpans"][0]["resource"]["attributes"].to_string();
    assert!(
        resource.contains("gateway") && resource.contains("links-1"),
        "{resource}"
    );
    tasks.shutdown().await;
}

#[tokio::test]
async fn a_busy_collector_is_asked_again_and_nothing_is_lost() {
    let tasks = Tasks::new();
    let mut collector = collector(&tasks, &[503, 429]).await;
    let metrics = Metrics::new();
    let traces = Traces::new(Sampling::all(), &Ctx::system(), &metrics);
    traces
        .export(collector.config(), &tasks)
        .expect("a good endpoint");
    traces.span("a", "links", None, SpanKind::Server).end();
    let (first, second, third) = (
        collector.next().await.1,
        collector.next().await.1,
        collector.next().await.1,
    );
    assert!(
        first == second && second == third,
        "the same batch each time"
    );
    tasks.shutdown().await;
    assert!(
        metrics
            .render()
            .contains("telemetry_spans_exported_total 1\n")
    );
}

#[tokio::test]
async fn what_waits_at_shutdown_is_sent() {
    let tasks = Tasks::new();
    let serving = Tasks::new();
    let mut collector = collector(&serving, &[]).await;
    let traces = Traces::new(Sampling::all(), &Ctx::system(), &Metrics::new());
    traces
        .export(collector.config(), &tasks)
        .expect("a good endpoint");
    for _ in 0..700 {
        traces.span("a", "links", None, SpanKind::Server).end();
    }
    tasks.shutdown().await;
    let mut received = 0;
    while received < 700 {
        received += spans_of(&collector.next().await.1).len();
    }
    assert_eq!(received, 700);
    serving.shutdown().await;
}

#[tokio::test]
async fn without_a_collector_spans_are_dropped_and_counted_and_nobody_waits() {
    let tasks = Tasks::new();
    let endpoint = "http://127.0.0.1:1".to_owned();
    let metrics = Metrics::new();
    let traces = Traces::new(Sampling::all(), &Ctx::system(), &metrics);
    let config = OtlpConfig {
        endpoint,
        headers: [].into(),
        instance: String::new(),
        resource: [].into(),
    };
    traces
        .export(config.clone(), &tasks)
        .expect("a good endpoint");
    assert_eq!(traces.export(config, &tasks), Err(ExportError::Twice));
    for _ in 0..10_000 {
        traces.span("a", "links", None, SpanKind::Server).end();
    }
    tasks.shutdown().await;
    let text = metrics.render();
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("telemetry_spans_dropped_total "));
    let dropped: u64 = line.and_then(|n| n.parse().ok()).expect("a count");
    assert_eq!(dropped, 10_000);
}

#[tokio::test]
async fn an_endpoint_that_cannot_work_is_refused_with_what_to_write() {
    let traces = Traces::new(Sampling::all(), &Ctx::system(), &Metrics::new());
    for (endpoint, hint) in [
        (
            "https://collector:4318",
            "run a collector beside this process",
        ),
        ("collector:4318", "http://host:4318"),
        ("", "write http://host:4318"),
    ] {
        let config = OtlpConfig {
            endpoint: endpoint.to_owned(),
            headers: [].into(),
            instance: String::new(),
            resource: [].into(),
        };
        let error = traces
            .export(config, &Tasks::new())
            .expect_err("it cannot work");
        assert!(error.to_string().contains(hint), "{endpoint}: {error}");
    }
}
