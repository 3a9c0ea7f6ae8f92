//! What recording costs: nanoseconds for each operation of the hot path.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use kernel::Ctx;
use telemetry::{Metrics, Sampling, SpanKind, Traces};

const ROUNDS: u32 = 5;
const TIMES: u32 = 2_000_000;

fn main() {
    let metrics = Metrics::new();
    let counter = metrics.counter("bench_total", "Bench.", &[]);
    let gauge = metrics.gauge("bench", "Bench.", &[]);
    let histogram = metrics.histogram("bench_seconds", "Bench.", &[]);
    let quiet = Traces::new(Sampling::none(), &Ctx::system(), &metrics);
    let usual = Traces::new(Sampling::default(), &Ctx::system(), &metrics);
    let all = Traces::new(Sampling::all(), &Ctx::system(), &metrics);
    measure("counter.inc", || counter.inc());
    measure("gauge.enter and drop", || drop(gauge.enter()));
    measure("histogram.observe", || {
        histogram.observe(black_box(Duration::from_micros(57)))
    });
    measure("span, parent not sampled", || {
        let parent = telemetry::TraceContext {
            trace_id: 1,
            span_id: 1,
            sampled: false,
        };
        drop(black_box(quiet.span(
            "a",
            "links",
            Some(parent),
            SpanKind::Server,
        )));
    });
    measure("root span, not sampled", || {
        drop(black_box(quiet.span("a", "links", None, SpanKind::Server)));
    });
    measure("root span, default sampling", || {
        drop(black_box(usual.span("a", "links", None, SpanKind::Server)));
    });
    measure("root span, sampled", || {
        drop(black_box(all.span("a", "links", None, SpanKind::Server)));
    });
}

/// The best of a few rounds: what the operation costs when nothing else disturbs it.
fn measure(name: &str, mut operation: impl FnMut()) {
    let best = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        for _ in 0..TIMES {
            operation();
        }
        begun.elapsed()
    });
    let best = best.min().unwrap_or_default();
    println!(
        "{name:<30} {:>8.1} ns",
        best.as_secs_f64() * 1e9 / f64::from(TIMES)
    );
}
