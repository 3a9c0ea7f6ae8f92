//! The breaker by itself, on a clock that is passed in.

use std::sync::Arc;

use kernel::{ManualClock, SystemRandom};

use super::*;

fn policy() -> BreakerPolicy {
    BreakerPolicy {
        on: true,
        window_ms: 1_000,
        min_volume: 4,
        error_rate: 0.5,
        open_ms: 500,
        half_open_probes: 2,
        probe_lease_ms: 300,
    }
}

fn ms(ms: i64) -> Steady {
    Steady::from_millis(1_000_000 + ms)
}

/// A world that has come to that moment.
fn at(moment: i64) -> Ctx {
    let clock = ManualClock::default();
    clock.advance(ms(moment).since(Steady::default()));
    Ctx {
        clock: Arc::new(clock),
        random: Arc::new(SystemRandom),
    }
}

fn call(breaker: &Breaker, at: Steady, ended: Ended) -> Option<Transition> {
    let admission = breaker.admit(&policy(), || at).0.expect("admitted");
    breaker.record(admission, ended, &policy(), at)
}

fn opened() -> Breaker {
    let breaker = Breaker::new(ms(0));
    for _ in 0..3 {
        assert_eq!(call(&breaker, ms(0), Ended::Badly), None);
    }
    let opened = call(&breaker, ms(0), Ended::Badly);
    assert_eq!(
        opened,
        Some(Transition::Opened {
            failed: 4,
            calls: 4
        })
    );
    breaker
}

#[test]
fn it_stays_closed_below_the_minimum_volume_and_below_the_rate() {
    let breaker = Breaker::new(ms(0));
    for _ in 0..5 {
        assert_eq!(call(&breaker, ms(0), Ended::Well), None);
    }
    for _ in 0..4 {
        assert_eq!(call(&breaker, ms(0), Ended::Badly), None);
    }
    assert!(call(&breaker, ms(0), Ended::Badly).is_some(), "five of ten");
}

#[test]
fn failures_that_have_left_the_window_do_not_count() {
    let breaker = Breaker::new(ms(0));
    for _ in 0..3 {
        assert_eq!(call(&breaker, ms(0), Ended::Badly), None);
    }
    assert_eq!(
        call(&breaker, ms(1_100), Ended::Badly),
        None,
        "one call in the window"
    );
    assert_eq!(breaker.view(&policy(), &at(1_100)).calls, 1);
}

#[test]
fn it_opens_half_opens_and_closes() {
    let breaker = opened();
    assert_eq!(
        breaker.admit(&policy(), || ms(100)).0.expect_err("open"),
        400
    );
    let (first, transition) = breaker.admit(&policy(), || ms(500));
    assert_eq!(transition, Some(Transition::HalfOpened));
    let first = first.expect("the first probe");
    let second = breaker
        .admit(&policy(), || ms(500))
        .0
        .expect("the second probe");
    assert!(
        breaker.admit(&policy(), || ms(500)).0.is_err(),
        "no third probe"
    );
    assert_eq!(breaker.record(first, Ended::Well, &policy(), ms(510)), None);
    let closed = breaker.record(second, Ended::Well, &policy(), ms(520));
    assert_eq!(closed, Some(Transition::Closed));
    assert_eq!(breaker.view(&policy(), &at(520)).state, "closed");
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let breaker = opened();
    assert_eq!(
        call(&breaker, ms(500), Ended::Badly),
        Some(Transition::Reopened)
    );
    assert!(breaker.admit(&policy(), || ms(900)).0.is_err());
    assert!(breaker.admit(&policy(), || ms(1_000)).0.is_ok());
}

#[test]
fn the_lease_of_a_lost_probe_ends() {
    let breaker = opened();
    let lost = breaker.admit(&policy(), || ms(500)).0.expect("a probe");
    let _also_lost = breaker.admit(&policy(), || ms(500)).0.expect("another");
    assert!(
        breaker.admit(&policy(), || ms(799)).0.is_err(),
        "both leases still run"
    );
    let next = breaker
        .admit(&policy(), || ms(800))
        .0
        .expect("both leases have ended");
    let late = breaker.record(lost, Ended::Badly, &policy(), ms(810));
    assert_eq!(late, None, "a lost probe has no say any more");
    assert_eq!(breaker.record(next, Ended::Well, &policy(), ms(820)), None);
}

#[test]
fn a_probe_that_was_given_up_frees_its_place_and_says_nothing() {
    let breaker = opened();
    assert_eq!(call(&breaker, ms(500), Ended::Unknown), None);
    assert_eq!(call(&breaker, ms(501), Ended::Well), None);
    assert_eq!(
        call(&breaker, ms(502), Ended::Well),
        Some(Transition::Closed)
    );
}

#[test]
fn a_call_from_before_it_opened_does_not_count_as_a_probe() {
    let breaker = Breaker::new(ms(0));
    let early = breaker.admit(&policy(), || ms(0)).0.expect("closed");
    for _ in 0..4 {
        call(&breaker, ms(0), Ended::Badly);
    }
    let _probe = breaker.admit(&policy(), || ms(500)).0.expect("a probe");
    assert_eq!(
        breaker.record(early, Ended::Badly, &policy(), ms(501)),
        None
    );
}
