//! What traces promise: the parent decides, a floor for quiet systems, bounded memory.

use std::sync::Arc;
use std::time::Duration;

use kernel::{ManualClock, SeededRandom, Timestamp};

use super::*;

fn traces(sampling: Sampling) -> (Traces, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(100)));
    let ctx = Ctx {
        clock: clock.clone(),
        random: Arc::new(SeededRandom::new(1)),
    };
    (Traces::new(sampling, &ctx, &Metrics::new()), clock)
}

#[test]
fn the_parents_decision_holds_whatever_the_ratio_says() {
    let parent = |sampled| {
        Some(TraceContext {
            trace_id: 7,
            span_id: 9,
            sampled,
        })
    };
    let (none, _) = traces(Sampling::none());
    let span = none.span("a", "links", parent(true), SpanKind::Server);
    assert!(span.is_recording());
    assert_eq!(span.context().trace_id, 7);
    drop(span);
    assert_eq!(none.trace(7)[0].parent, Some(9));
    let (all, _) = traces(Sampling::all());
    let span = all.span("a", "links", parent(false), SpanKind::Server);
    assert!(!span.is_recording() && !span.context().sampled);
    assert!(
        all.span("a", "links", Some(TraceContext::NONE), SpanKind::Server)
            .is_recording()
    );
}

#[test]
fn a_ratio_samples_about_its_share() {
    let (traces, _) = traces(Sampling {
        ratio: 0.1,
        floor_per_s: 0,
        ..Sampling::default()
    });
    let sampled = (0..20_000).filter(|_| traces.root().sampled).count();
    assert!((1_700..2_300).contains(&sampled), "{sampled} of 20000");
}

#[test]
fn a_quiet_system_records_its_first_traces_of_a_second() {
    let (traces, _) = traces(Sampling {
        ratio: 0.0,
        floor_per_s: 3,
        ..Sampling::default()
    });
    let sampled = (0..1_000).filter(|_| traces.root().sampled).count();
    assert!((3..=12).contains(&sampled), "{sampled}");
}

#[test]
fn steps_are_listed_by_trace_and_failures_are_found() {
    let (traces, clock) = traces(Sampling::all());
    let mut root = traces.span("GET /", "gateway", None, SpanKind::Server);
    clock.advance(Duration::from_millis(1));
    let mut child = traces.span("resolve", "links", Some(root.context()), SpanKind::Client);
    child.attr("replica", 2);
    child.error("no such link");
    child.end();
    root.rename("GET /{code}");
    let id = root.context().trace_id;
    root.end();
    traces
        .span("GET /", "gateway", None, SpanKind::Server)
        .end();

    let steps = traces.trace(id);
    assert_eq!(
        steps.iter().map(|s| &*s.name).collect::<Vec<_>>(),
        ["GET /{code}", "resolve"]
    );
    assert_eq!(steps[1].parent, Some(steps[0].span_id));
    assert_eq!(traces.list(&TraceFilter::default(), 10).len(), 2);
    let failed = traces.list(
        &TraceFilter {
            failed: true,
            ..TraceFilter::default()
        },
        10,
    );
    assert_eq!((failed.len(), failed[0].spans), (1, 2));
    assert_eq!(failed[0].error.as_deref(), Some("no such link"));
    let links = TraceFilter {
        service: Some("links".to_owned()),
        ..TraceFilter::default()
    };
    assert_eq!(traces.list(&links, 10).len(), 1);
}

#[test]
fn a_failed_trace_outlives_many_good_ones() {
    let (traces, _) = traces(Sampling::all());
    let mut root = traces.span("POST /", "gateway", None, SpanKind::Server);
    traces
        .span("create", "links", Some(root.context()), SpanKind::Client)
        .end();
    root.error("unavailable");
    let id = root.context().trace_id;
    root.end();
    for _ in 0..10_000 {
        traces
            .span("GET /", "gateway", None, SpanKind::Server)
            .end();
    }
    assert_eq!(traces.trace(id).len(), 2, "both steps are still there");
    assert_eq!(
        traces.list(&TraceFilter::default(), usize::MAX).len(),
        4_097
    );
}

#[test]
fn attributes_are_bounded() {
    let (traces, _) = traces(Sampling::all());
    let mut span = traces.span("a", "b", None, SpanKind::Internal);
    for n in 0..100 {
        span.attr("key", format!("{n}{}", "ü".repeat(500)));
    }
    let id = span.context().trace_id;
    span.end();
    let span = &traces.trace(id)[0];
    assert_eq!(span.attributes.len(), 32);
    assert!(span.attributes.iter().all(|(_, v)| v.len() <= 256));
}
