//! No server hides that somebody waited.

use std::time::Duration;

use load::{Profile, VerdictKind};

use crate::server::{Behaviour, STALL, Server, run};

#[test]
fn a_stall_shows_in_the_latency_though_only_one_request_met_it() {
    let server = Server::start(Behaviour::Stall);
    let mut plan = server.plan(600);
    plan.profile = Profile::constant(200.0);
    // One connection: only the request that is under way meets the stall, the others are held back
    // by it. A closed loop would report one slow answer in two hundred.
    plan.connections = 1;
    let report = run(plan);
    let (latency, service) = (&report.latency, &report.service_time);
    let half_ms = STALL.as_secs_f64() * 1e3 / 2.0;
    assert_eq!(report.answered, 600);
    assert!(latency.p99_ms >= half_ms, "{latency:?}");
    assert!(
        service.p50_ms < latency.p99_ms / 2.0,
        "{service:?}, {latency:?}"
    );
}

#[test]
fn a_server_slower_than_the_rate_is_saturated_and_not_fast() {
    let server = Server::start(Behaviour::Slow(Duration::from_millis(20)));
    let mut plan = server.plan(200);
    plan.profile = Profile::constant(400.0);
    plan.connections = 2;
    let report = run(plan);
    // 200 answers on 2 connections take 2 s at least, and half a second was wanted.
    assert_eq!(report.answered, 200);
    assert!(report.elapsed_s >= 2.0, "{}", report.elapsed_s);
    assert!(report.rate.achieved <= 100.0, "{:?}", report.rate);
    assert!(report.latency.p99_ms >= 1_000.0, "{:?}", report.latency);
    assert!(
        report.service_time.min_ms >= 20.0,
        "{:?}",
        report.service_time
    );
    assert!(report.wait.p99_ms >= 1_000.0, "{:?}", report.wait);
    // On a machine that is busy with other things it may say that of itself, and never that all is well.
    assert_ne!(report.verdict.kind, VerdictKind::Held);
}

#[test]
fn a_full_queue_is_the_generators_count_and_not_the_servers_error() {
    let server = Server::start(Behaviour::Slow(Duration::from_millis(20)));
    let mut plan = server.plan(300);
    (plan.connections, plan.queue) = (1, 10);
    let report = run(plan);
    assert_eq!(report.errors.total, 0, "{:?}", report.errors);
    assert!(report.not_sent.queue_full > 0);
    assert_eq!(report.answered + report.not_sent.queue_full, 300);
    assert_eq!(server.seen.lock().requests, report.answered);
}

#[test]
fn a_server_that_never_answers_makes_timeouts_which_count_as_latency() {
    let server = Server::start(Behaviour::Silent);
    let mut plan = server.plan(20);
    (plan.connections, plan.timeout) = (20, Duration::from_millis(300));
    let report = run(plan);
    assert_eq!(
        (report.answered, report.errors.timeout.count),
        (0, 20),
        "{:?}",
        report.errors
    );
    assert_eq!((report.latency.count, report.service_time.count), (20, 0));
    assert!(report.latency.min_ms >= 299.0, "{:?}", report.latency);
    assert_eq!(
        report.verdict.kind,
        VerdictKind::NoAnswers,
        "{}",
        report.verdict.text
    );
}
