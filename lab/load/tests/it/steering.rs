//! A run is steered while it runs.

use std::sync::Arc;
use std::time::Duration;

use kernel::SystemClock;
use load::{Handle, Profile, Run};

use crate::server::{Behaviour, Server};

/// Waits, in the run's own thread, until `so_many` were answered.
async fn answered(handle: &Handle, so_many: u64) {
    while handle.progress().answered < so_many {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn the_rate_changes_while_it_runs() {
    let server = Server::start(Behaviour::Answer);
    let mut plan = server.plan(500);
    // At one a second there would be 60 when the time is over.
    plan.profile = Profile::constant(1.0);
    plan.duration = Some(Duration::from_secs(60));
    let run = Run::new(plan, Arc::new(SystemClock)).unwrap();
    let handle = run.handle();
    let report = run
        .to_end(async {
            answered(&handle, 1).await;
            handle.set_rate(0.0);
            handle.set_rate(2_000.0);
            std::future::pending().await
        })
        .unwrap();
    assert_eq!((report.scheduled, report.answered), (500, 500));
    assert!(!report.ended_early);
}

#[test]
fn a_run_that_is_stopped_reports_what_it_has() {
    let server = Server::start(Behaviour::Answer);
    let mut plan = server.plan(u64::MAX);
    plan.duration = Some(Duration::from_secs(3_600));
    let run = Run::new(plan, Arc::new(SystemClock)).unwrap();
    let handle = run.handle();
    let report = run
        .to_end(async {
            answered(&handle, 100).await;
            handle.stop();
            std::future::pending().await
        })
        .unwrap();
    assert!(report.ended_early && report.answered >= 100);
    let seen = server.seen.lock().requests;
    assert!(report.answered <= seen && seen <= report.sent);
    assert_eq!(report.sent, report.answered + report.errors.total);
}

#[test]
fn what_waits_when_a_run_is_stopped_is_counted_and_has_waited() {
    let server = Server::start(Behaviour::Silent);
    let mut plan = server.plan(u64::MAX);
    plan.connections = 2;
    let run = Run::new(plan, Arc::new(SystemClock)).unwrap();
    let handle = run.handle();
    let report = run
        .to_end(async {
            while handle.progress().scheduled < 50 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .unwrap();
    assert!(report.ended_early);
    assert_eq!((report.sent, report.errors.unfinished), (2, 2));
    assert_eq!(report.not_sent.at_the_end, report.scheduled - 2);
    assert_eq!(
        report.latency.count, report.scheduled,
        "all of them have waited"
    );
}
