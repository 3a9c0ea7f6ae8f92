//! The text that `/metrics` serves, checked by `promtool`.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use telemetry::{Metrics, process};

/// Says past the capture of the test's output what was skipped.
fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    drop(writeln!(std::io::stderr(), "skipped: {why}"));
}

/// `None` when promtool is not installed; that fails where `CI=true`.
fn promtool(text: &str) -> Option<(bool, String)> {
    let spawned = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        skip("promtool is not on PATH; install the package prometheus");
        return None;
    };
    child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(text.as_bytes())
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

fn busy_metrics() -> Metrics {
    let metrics = Metrics::new();
    process::register(&metrics);
    for (route, class) in [("/api/links/{id}", "2xx"), ("odd \"route\"\\\n", "5xx")] {
        let labels = [("service", "links"), ("route", route), ("class", class)];
        metrics
            .counter("http_requests_total", "HTTP answers.", &labels)
            .inc();
        let labels = [("service", "links"), ("route", route)];
        let times = metrics.histogram("http_request_seconds", "Time to answer.", &labels);
        times.observe(Duration::from_micros(70));
    }
    metrics
        .gauge(
            "storage_queue_depth",
            "Writes that wait.",
            &[("schema", "links")],
        )
        .set(3);
    metrics
        .distribution("storage_group_size", "Writes in one commit.", &[])
        .record(12);
    metrics
}

#[test]
fn promtool_finds_no_fault_in_the_metrics() {
    let text = busy_metrics().render();
    if let Some((good, said)) = promtool(&text) {
        assert!(
            good && said.trim().is_empty(),
            "promtool says: {said}\nof\n{text}"
        );
    }
}

#[test]
fn promtool_finds_a_planted_fault() {
    let metrics = busy_metrics();
    let _ = metrics.counter(
        "requests_without_the_suffix",
        "A counter with a gauge's name.",
        &[],
    );
    if let Some((good, said)) = promtool(&metrics.render()) {
        assert!(
            !good && said.contains("requests_without_the_suffix"),
            "{said}"
        );
    }
}
