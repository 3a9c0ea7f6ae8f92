//! What the registry promises: one series per set of labels, a bound, and readable text.

use std::time::Duration;

use super::*;

#[test]
fn the_same_name_and_labels_in_any_order_are_one_series() {
    let metrics = Metrics::new();
    metrics
        .counter("hits_total", "Hits.", &[("a", "1"), ("b", "2")])
        .inc();
    metrics
        .counter("hits_total", "Hits.", &[("b", "2"), ("a", "1")])
        .add(2);
    let text = metrics.render();
    assert!(
        text.contains("# HELP hits_total Hits.\n# TYPE hits_total counter\n"),
        "{text}"
    );
    assert!(text.contains("hits_total{a=\"1\",b=\"2\"} 3\n"), "{text}");
}

#[test]
fn a_family_refuses_more_series_than_its_bound_and_counts_them() {
    let metrics = Metrics::new();
    for n in 0..SERIES_MAX + 5 {
        metrics
            .counter("codes_total", "Codes.", &[("code", &n.to_string())])
            .inc();
    }
    assert_eq!(metrics.refused(), 5);
    let text = metrics.render();
    assert_eq!(
        text.lines()
            .filter(|l| l.starts_with("codes_total{"))
            .count(),
        SERIES_MAX
    );
    assert!(text.contains("telemetry_series_refused_total 5\n"));
    metrics
        .counter("codes_total", "Codes.", &[("code", "7")])
        .inc();
    assert_eq!(
        metrics.refused(),
        5,
        "a series that is there is still handed out"
    );
}

#[test]
fn a_name_used_as_another_kind_is_refused_and_does_not_break_the_text() {
    let metrics = Metrics::new();
    metrics.counter("mixed_total", "A counter.", &[]).inc();
    metrics.gauge("mixed_total", "A gauge.", &[]).set(9);
    let _ = metrics.counter("Bad-Name", "Wrong.", &[]);
    assert_eq!(metrics.refused(), 2);
    let text = metrics.render();
    assert!(
        text.contains("mixed_total 1\n") && !text.contains("Bad-Name"),
        "{text}"
    );
}

#[test]
fn label_values_are_escaped_and_cut() {
    let metrics = Metrics::new();
    metrics.gauge("odd", "Odd.", &[("v", "a\"b\\c\nd")]).set(-1);
    metrics
        .gauge("odd", "Odd.", &[("v", &"ä".repeat(200))])
        .set(2);
    let text = metrics.render();
    assert!(text.contains(r#"odd{v="a\"b\\c\nd"} -1"#), "{text}");
    assert!(
        text.contains(&format!("odd{{v=\"{}\"}} 2", "ä".repeat(64))),
        "{text}"
    );
}

#[test]
fn a_histogram_is_cumulative_and_its_count_is_its_last_bucket() {
    let metrics = Metrics::new();
    let times = metrics.histogram("wait_seconds", "Waits.", &[("q", "a")]);
    for us in [1, 3, 3, 90_000_000] {
        times.observe(Duration::from_micros(us));
    }
    let text = metrics.render();
    for line in [
        "wait_seconds_bucket{q=\"a\",le=\"0.000001\"} 1",
        "wait_seconds_bucket{q=\"a\",le=\"0.000002\"} 1",
        "wait_seconds_bucket{q=\"a\",le=\"0.000003\"} 3",
        "wait_seconds_bucket{q=\"a\",le=\"67.108864\"} 3",
        "wait_seconds_bucket{q=\"a\",le=\"+Inf\"} 4",
        "wait_seconds_sum{q=\"a\"} 90.000007",
        "wait_seconds_count{q=\"a\"} 4",
    ] {
        assert!(
            text.lines().any(|l| l == line),
            "{line} is missing in\n{text}"
        );
    }
}

#[test]
fn callbacks_add_to_the_text_and_merge_with_a_family_of_the_same_name() {
    let metrics = Metrics::new();
    metrics.gauge("depth", "Depth.", &[("q", "a")]).set(1);
    metrics.collect(|out| out.gauge("depth", "Depth.", &[("q", "b")], 2.5));
    let text = metrics.render();
    assert_eq!(text.matches("# TYPE depth gauge").count(), 1, "{text}");
    assert!(
        text.contains("depth{q=\"a\"} 1\ndepth{q=\"b\"} 2.5\n"),
        "{text}"
    );
}

#[test]
fn a_cancelled_request_leaves_the_gauge_of_requests_in_flight() {
    let gauge = Gauge::detached();
    let guard = gauge.enter();
    assert_eq!(gauge.get(), 1);
    drop(guard);
    assert_eq!(gauge.get(), 0);
}
