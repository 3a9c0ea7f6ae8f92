//! Ejection and health marks are switched off and on while there is something to forget.

use kernel::{Choice as _, Switch};

use super::*;

/// Three endpoints behind knobs called `ejection` and `health`.
fn switched(algorithm: Algorithm) -> (Bench, Knobs) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
    let ctx = Ctx {
        clock: clock.clone(),
        random: Arc::new(SeededRandom::new(7)),
    };
    let (knobs, ejection) = Knobs::none().declare::<Switch>("ejection", "errors for work");
    let (knobs, health) = knobs.declare::<Switch>("health", "errors for work");
    let choices = Choices {
        algorithm: Chosen::Fixed(algorithm),
        ejection: Chosen::Knob(ejection),
        health: Chosen::Knob(health),
    };
    let discovery = StaticDiscovery::new().with("s", endpoints(3));
    let config = BalancerConfig::default();
    let balancer = Balancer::new("s", discovery.watch("s"), choices, config, ctx);
    let bench = Bench {
        clock,
        discovery,
        balancer,
    };
    (bench, knobs)
}

fn first_fails(port: u16) -> (Duration, Outcome) {
    match port {
        1 => (MS, Outcome::Overloaded { retry_after: None }),
        _ => (MS, Outcome::Ok),
    }
}

#[test]
fn without_ejection_what_was_out_is_in_and_nothing_goes_out() {
    let (bench, knobs) = switched(Algorithm::RoundRobin);
    bench.run(60, first_fails);
    assert_eq!(bench.out(), [1]);
    knobs.set("ejection", "off").expect("a setting");
    let got = bench.run(300, first_fails);
    assert_eq!(got[&1], 100, "at once, and it stays: {got:?}");
    assert!(bench.out().is_empty());
    assert_eq!(bench.balancer.view().endpoints[0].why_out, None);
    knobs.set("ejection", "on").expect("a setting");
    assert!(bench.out().is_empty(), "it starts with a clean sheet");
    let got = bench.run(3, first_fails);
    assert_eq!(
        got.len(),
        3,
        "what failed meanwhile does not count: {got:?}"
    );
    bench.run(60, first_fails);
    assert_eq!(bench.out(), [1], "five failures do");
}

#[test]
fn without_ejection_no_algorithm_avoids_an_endpoint_because_it_fails() {
    for (_, algorithm) in Algorithm::ALL {
        let (bench, knobs) = switched(*algorithm);
        bench.run(60, first_fails);
        knobs.set("ejection", "off").expect("a setting");
        let got = bench.run(3_000, first_fails);
        let failing = got.get(&1).copied().unwrap_or(0);
        assert!(failing > 500, "{algorithm:?}: {got:?}");
        let penalties = bench.balancer.view().endpoints;
        assert!(penalties.iter().all(|e| e.penalty_ms == 0.0));
    }
}

#[test]
fn marks_of_health_checks_count_while_they_are_heeded() {
    let (bench, knobs) = switched(Algorithm::RoundRobin);
    let sick = || Health::Unhealthy("GET /readyz answered 503".to_owned());
    bench.balancer.mark(addr(1), sick());
    assert_eq!(bench.out(), [1]);
    knobs.set("health", "off").expect("a setting");
    let got = bench.run(30, |_| (MS, Outcome::Ok));
    assert_eq!(got[&1], 10, "at once: {got:?}");
    assert_eq!(bench.balancer.view().endpoints[0].why_out, None);
    bench.balancer.mark(addr(2), sick());
    assert!(bench.out().is_empty());
    bench.balancer.mark(addr(1), Health::Healthy);
    knobs.set("health", "on").expect("a setting");
    let got = bench.run(30, |_| (MS, Outcome::Ok));
    assert!(!got.contains_key(&2), "{got:?}");
    assert_eq!(bench.out(), [2]);
}
