//! The report's counts are the server's.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Version};
use kernel::SystemClock;
use load::{Plan, Popularity, Process, Protocol, Report, Run, RunError, Target, VerdictKind};

use crate::server::{Behaviour, Server, run};

/// Every request is in exactly one count.
#[track_caller]
fn balanced(report: &Report) {
    let errors = &report.errors;
    let kinds = [
        &errors.connect,
        &errors.timeout,
        &errors.closed,
        &errors.protocol,
    ];
    let failed: u64 = kinds.iter().map(|failure| failure.count).sum::<u64>() + errors.unfinished;
    assert_eq!(errors.total, failed);
    let not_sent = report.not_sent.queue_full + report.not_sent.at_the_end + errors.connect.count;
    assert_eq!(report.scheduled, report.sent + not_sent);
    assert_eq!(
        report.sent,
        report.answered + errors.total - errors.connect.count
    );
    let of_seconds =
        |count: fn(&load::Second) -> u64| report.timeline.iter().map(count).sum::<u64>();
    assert_eq!(of_seconds(|second| second.scheduled), report.scheduled);
    assert_eq!(of_seconds(|second| second.sent), report.sent);
    assert_eq!(of_seconds(|second| second.answered), report.answered);
}

#[test]
fn numbers_make_every_content_another() {
    let server = Server::start(Behaviour::Answer);
    let mut plan = server.plan(20);
    plan.method = Method::POST;
    plan.body = "<{n}>".into();
    plan.numbered_from = Some(0);
    let report = run(plan);
    balanced(&report);
    assert_eq!(
        server.seen.lock().bytes,
        10 * 3 + 10 * 4,
        "0 to 9, and 10 to 19"
    );
    assert_eq!(report.bytes_sent, 70);
}

#[test]
fn what_was_sent_is_what_the_server_saw() {
    let server = Server::start(Behaviour::Answer);
    let mut plan = server.plan(2_000);
    plan.method = Method::POST;
    plan.body = "five!".into();
    plan.headers.insert("x-one", HeaderValue::from_static("1"));
    let report = run(plan);
    balanced(&report);
    let seen = server.seen.lock();
    assert_eq!(
        (report.scheduled, report.answered, seen.requests),
        (2_000, 2_000, 2_000)
    );
    assert_eq!((report.bytes_sent, seen.bytes), (10_000, 10_000));
    assert_eq!(report.bytes_received, 2_000 * 12);
    assert_eq!(report.statuses.success, 2_000);
    assert_eq!(report.connections_opened, 8, "connections are kept");
    assert_eq!(
        (report.latency.count, report.service_time.count),
        (2_000, 2_000)
    );
    let (version, method, headers) = &seen.heads[0];
    assert_eq!((*version, method.as_str()), (Version::HTTP_11, "POST"));
    assert_eq!(headers["x-one"], "1");
    assert_eq!(headers["host"], server.address.to_string());
}

#[test]
fn http_2_shares_its_connections() {
    let server = Server::start(Behaviour::Slow(Duration::from_millis(5)));
    let mut plan = server.plan(1_000);
    (plan.protocol, plan.connections, plan.streams) = (Protocol::Http2, 2, 16);
    let report = run(plan);
    balanced(&report);
    let seen = server.seen.lock();
    assert_eq!((report.answered, seen.requests), (1_000, 1_000));
    assert_eq!(report.connections_opened, 2);
    assert!(
        seen.heads
            .iter()
            .all(|(version, ..)| *version == Version::HTTP_2)
    );
}

#[test]
fn targets_are_asked_as_their_popularity_says() {
    let server = Server::start(Behaviour::Answer);
    let mut plan = server.plan(3_000);
    plan.targets = (0..50)
        .map(|key| server.target(&format!("/{key}")))
        .collect();
    plan.popularity = Popularity::Zipf { exponent: 1.1 };
    plan.process = Process::Poisson;
    let report = run(plan);
    balanced(&report);
    let seen = server.seen.lock();
    assert_eq!(seen.paths.values().sum::<u64>(), 3_000);
    assert!(seen.paths["/0"] > 5 * seen.paths["/20"], "{:?}", seen.paths);
}

#[test]
fn several_hosts_are_loaded_at_once() {
    let (one, two) = (
        Server::start(Behaviour::Answer),
        Server::start(Behaviour::Answer),
    );
    let mut plan = one.plan(1_000);
    plan.targets = vec![one.target("/a"), two.target("/b")];
    let report = run(plan);
    balanced(&report);
    let (one, two) = (one.seen.lock().requests, two.seen.lock().requests);
    assert_eq!(one + two, report.answered);
    assert!(one > 300 && two > 300, "{one} and {two}");
}

#[test]
fn a_server_that_closes_each_connection_costs_connections_and_no_errors() {
    let server = Server::start(Behaviour::Close);
    let report = run(server.plan(200));
    balanced(&report);
    assert_eq!(
        (report.answered, report.errors.total),
        (200, 0),
        "{:?}",
        report.errors
    );
    assert!(
        report.connections_opened >= 200,
        "{}",
        report.connections_opened
    );
    assert_eq!(server.seen.lock().requests, 200);
}

#[test]
fn broken_connections_are_errors_of_their_kind() {
    let server = Server::start(Behaviour::Break);
    let report = run(server.plan(100));
    balanced(&report);
    assert_eq!(report.errors.closed.count, 50, "{:?}", report.errors);
    assert_eq!((report.answered, report.latency.count), (50, 50));
    assert!(report.errors.closed.example.is_some());
}

#[test]
fn statuses_are_counted_by_class() {
    for status in [204, 302, 404, 503] {
        let server = Server::start(Behaviour::Status(status));
        let report = run(server.plan(20));
        let statuses = report.statuses;
        let counts = [
            statuses.success,
            statuses.redirection,
            statuses.client_error,
            statuses.server_error,
        ];
        let mut wanted = [0; 4];
        wanted[usize::from(status / 100) - 2] = 20;
        assert_eq!(counts, wanted);
    }
}

#[test]
fn a_server_that_speaks_no_http_2_is_said() {
    // It takes the connection and closes it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || while listener.accept().is_ok() {});
    let mut plan = Plan::new(vec![Target::parse(&format!("http://{address}/")).unwrap()]);
    (plan.requests, plan.protocol) = (Some(5), Protocol::Http2);
    let report = run(plan);
    balanced(&report);
    assert_eq!(
        (report.answered, report.errors.total),
        (0, 5),
        "{:?}",
        report.errors
    );
    assert_eq!(report.verdict.kind, VerdictKind::NoAnswers);
}

#[test]
fn a_target_where_nobody_listens_is_named() {
    let address = "127.0.0.1:1";
    let plan = Plan::new(vec![Target::parse(&format!("http://{address}/")).unwrap()]);
    let run = Run::new(plan, Arc::new(SystemClock)).unwrap();
    let error = run
        .to_end(std::future::pending())
        .expect_err("nobody is there");
    let said = error.to_string();
    assert!(matches!(error, RunError::NoAnswer { .. }), "{said}");
    assert!(said.contains(address) && said.contains("refused"), "{said}");
}

#[test]
fn a_report_is_read_by_programs() {
    let server = Server::start(Behaviour::Answer);
    let report = serde_json::to_value(run(server.plan(50))).unwrap();
    for pointer in [
        "/setting/seed",
        "/setting/protocol",
        "/started_at",
        "/elapsed_s",
        "/ended_early",
        "/scheduled",
        "/sent",
        "/answered",
        "/not_sent/queue_full",
        "/not_sent/at_the_end",
        "/errors/total",
        "/errors/connect/count",
        "/errors/timeout/count",
        "/errors/closed/count",
        "/errors/protocol/count",
        "/errors/unfinished",
        "/statuses/2xx",
        "/statuses/5xx",
        "/rate/wanted",
        "/rate/achieved",
        "/latency/p50_ms",
        "/latency/p90_ms",
        "/latency/p99_ms",
        "/latency/p99_9_ms",
        "/latency/max_ms",
        "/latency/distribution/0/1",
        "/service_time/p99_ms",
        "/wait/p99_ms",
        "/bytes_sent",
        "/bytes_received",
        "/connections_opened",
        "/generator/lag/p99_ms",
        "/generator/cpu",
        "/timeline/0/second",
        "/timeline/0/p99_ms",
        "/verdict/kind",
        "/verdict/text",
    ] {
        assert!(
            report.pointer(pointer).is_some(),
            "{pointer} is missing: {report:#}"
        );
    }
    assert_eq!(report["statuses"]["2xx"], 50);
    assert_eq!(report["setting"]["protocol"], "HTTP/1.1");
}
