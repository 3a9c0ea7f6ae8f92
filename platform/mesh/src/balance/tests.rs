//! The balancer on a clock that is passed in.

use std::collections::BTreeMap;

use kernel::{Choice as _, Knobs, ManualClock, SeededRandom, Timestamp};

use super::*;
use crate::discovery::{Discovery as _, StaticDiscovery};

mod switches;

struct Bench {
    clock: Arc<ManualClock>,
    discovery: StaticDiscovery,
    balancer: Balancer,
}

fn addr(n: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], n))
}

fn endpoints(count: u16) -> Vec<Endpoint> {
    (1..=count)
        .map(|n| Endpoint::named(format!("e{n}"), addr(n)))
        .collect()
}

fn bench(count: u16, algorithm: Algorithm) -> Bench {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
    let ctx = Ctx {
        clock: clock.clone(),
        random: Arc::new(SeededRandom::new(7)),
    };
    let discovery = StaticDiscovery::new().with("s", endpoints(count));
    let balancer = Balancer::simple("s", discovery.watch("s"), algorithm, ctx);
    Bench {
        clock,
        discovery,
        balancer,
    }
}

impl Bench {
    /// Sends `count` requests one after the other; `play` says how long each takes and how it ends.
    fn run(&self, count: u32, play: impl Fn(u16) -> (Duration, Outcome)) -> BTreeMap<u16, u32> {
        let mut got = BTreeMap::new();
        for _ in 0..count {
            let picked = self.balancer.pick(None).expect("an endpoint");
            let port = picked.addr().port();
            *got.entry(port).or_default() += 1;
            let (latency, outcome) = play(port);
            self.clock.advance(latency);
            picked.finish(outcome);
        }
        got
    }

    fn out(&self) -> Vec<u16> {
        let view = self.balancer.view();
        view.endpoints
            .iter()
            .filter(|e| !e.in_rotation)
            .map(|e| e.addr.port())
            .collect()
    }
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn an_endpoint_that_fails_fast_attracts_no_traffic() {
    for count in 2..=5 {
        let bench = bench(count, Algorithm::P2cEwma);
        let got = bench.run(2_000, |port| match port {
            1 => (MS / 10, Outcome::Overloaded { retry_after: None }),
            _ => (MS * 5, Outcome::Ok),
        });
        let failing = got.get(&1).copied().unwrap_or(0);
        assert!(
            failing <= 20,
            "{failing} of 2000 went to the failing one of {count}"
        );
    }
}

#[test]
fn an_endpoint_that_asks_for_time_gets_it() {
    let bench = bench(2, Algorithm::P2cEwma);
    let wait = Some(Duration::from_secs(60));
    let play = |port| match port {
        1 => (MS, Outcome::Overloaded { retry_after: wait }),
        _ => (MS * 20, Outcome::Ok),
    };
    bench.run(50, play);
    let got = bench.run(2_000, play);
    assert!(
        !got.contains_key(&1),
        "within 40 s of the 60 s that it asked for: {got:?}"
    );
}

#[test]
fn an_endpoint_ten_times_slower_gets_little() {
    let bench = bench(3, Algorithm::P2cEwma);
    let got = bench.run(3_000, |port| {
        (if port == 1 { MS * 10 } else { MS }, Outcome::Ok)
    });
    let slow = got.get(&1).copied().unwrap_or(0);
    assert!(
        (1..300).contains(&slow),
        "{slow} of 3000 went to the slow one"
    );
    let (two, three) = (got[&2], got[&3]);
    assert!(
        two.abs_diff(three) < 900,
        "the others share: {two}, {three}"
    );
}

#[test]
fn least_requests_takes_the_least_loaded() {
    let bench = bench(3, Algorithm::LeastRequests);
    let held: Vec<Picked> = (0..9)
        .map(|_| bench.balancer.pick(None).expect("one"))
        .collect();
    let view = bench.balancer.view();
    assert!(view.endpoints.iter().all(|e| e.in_flight == 3), "{view:?}");
    let freed = held
        .into_iter()
        .find(|p| p.addr() == addr(2))
        .expect("one of them");
    drop(freed);
    let view = bench.balancer.view();
    assert!(
        view.endpoints.iter().all(|e| e.in_flight == 0),
        "the rest was dropped: {view:?}"
    );
}

#[test]
fn round_robin_follows_the_weights_smoothly() {
    let bench = bench(2, Algorithm::RoundRobin);
    let mut list = endpoints(2);
    list[0].weight = 3;
    bench.discovery.set("s", list);
    bench.clock.advance(Duration::from_secs(60));
    let _taken_over = bench.balancer.view();
    bench.clock.advance(Duration::from_secs(60));
    let got = bench.run(400, |_| (MS, Outcome::Ok));
    assert_eq!(got, BTreeMap::from([(1, 300), (2, 100)]));
}

#[test]
fn at_least_half_stay_in_rotation_whatever_fails() {
    for (count, may_be_out) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)] {
        let bench = bench(count, Algorithm::RoundRobin);
        bench.run(200, |_| (MS, Outcome::ServerError));
        assert_eq!(bench.out().len(), may_be_out, "of {count}");
        let got = bench.run(50, |_| (MS, Outcome::ServerError));
        assert_eq!(got.len(), usize::from(count) - may_be_out, "of {count}");
    }
}

#[test]
fn one_bad_endpoint_of_two_to_five_is_ejected_and_says_why() {
    for count in 2..=5 {
        let bench = bench(count, Algorithm::RoundRobin);
        let play = |port| match port {
            1 => (MS * 3, Outcome::ConnectFailed),
            _ => (MS, Outcome::Ok),
        };
        bench.run(60, play);
        assert_eq!(bench.out(), [1], "of {count}");
        let view = bench.balancer.view();
        let why = view.endpoints[0].why_out.as_deref().expect("a reason");
        assert!(
            why.starts_with("its last requests all failed; it is let in again in "),
            "{why}"
        );
        assert!(
            why.contains("could not be connected to after 3 ms"),
            "{why}"
        );
        let got = bench.run(100, play);
        assert!(!got.contains_key(&1), "{got:?}");
    }
}

#[test]
fn a_high_share_of_failures_ejects_too() {
    let bench = bench(3, Algorithm::RoundRobin);
    let turn = AtomicU64::new(0);
    bench.run(150, |port| {
        let bad = port == 1 && turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        (
            MS,
            if bad {
                Outcome::ServerError
            } else {
                Outcome::Ok
            },
        )
    });
    assert_eq!(bench.out(), [1]);
    let why = bench.balancer.view().endpoints[0]
        .why_out
        .clone()
        .expect("a reason");
    assert!(why.contains("requests failed; it is let in again"), "{why}");
}

#[test]
fn each_further_ejection_lasts_twice_as_long_and_ends_by_itself() {
    let bench = bench(3, Algorithm::RoundRobin);
    let play = |port| {
        (
            MS,
            if port == 1 {
                Outcome::Reset
            } else {
                Outcome::Ok
            },
        )
    };
    let mut lengths = Vec::new();
    for _ in 0..4 {
        while bench.out().is_empty() {
            bench.run(1, play);
        }
        let mut length = Duration::ZERO;
        while !bench.out().is_empty() {
            bench.clock.advance(MS * 100);
            length += MS * 100;
        }
        lengths.push(length.as_secs());
    }
    assert_eq!(lengths, [5, 10, 20, 40]);
}

#[test]
fn setting_the_clock_neither_prolongs_nor_ends_an_ejection() {
    let hour = Duration::from_secs(3_600);
    for set in [Timestamp::minus, Timestamp::plus] {
        let bench = bench(3, Algorithm::RoundRobin);
        bench.run(60, |port| match port {
            1 => (MS, Outcome::Reset),
            _ => (MS, Outcome::Ok),
        });
        assert_eq!(bench.out(), [1]);
        bench.clock.set(set(bench.clock.now(), hour));
        assert_eq!(bench.out(), [1], "no time has passed");
        bench.clock.advance(Duration::from_secs(5));
        assert!(bench.out().is_empty(), "its five seconds are over");
    }
}

#[test]
fn health_checks_take_out_and_let_in_and_are_not_believed_when_they_leave_nothing() {
    let bench = bench(3, Algorithm::LeastRequests);
    let sick = || Health::Unhealthy("GET /readyz answered 503".to_owned());
    bench.balancer.mark(addr(1), sick());
    bench.balancer.mark(addr(2), sick());
    assert_eq!(bench.out(), [1, 2]);
    let why = bench.balancer.view().endpoints[0]
        .why_out
        .clone()
        .expect("a reason");
    assert!(why.ends_with("GET /readyz answered 503"), "{why}");
    bench.balancer.mark(addr(3), sick());
    assert!(bench.out().is_empty(), "nothing would be left");
    bench.balancer.mark(addr(1), Health::Healthy);
    assert_eq!(bench.out(), [2, 3]);
}

#[test]
fn a_new_endpoint_starts_slowly() {
    let bench = bench(2, Algorithm::RoundRobin);
    bench.run(10, |_| (MS, Outcome::Ok));
    bench.discovery.set("s", endpoints(3));
    let early = bench.run(300, |_| (MS, Outcome::Ok));
    assert!((3..60).contains(&early[&3]), "{early:?}");
    bench.clock.advance(Duration::from_secs(10));
    let late = bench.run(300, |_| (MS, Outcome::Ok));
    assert_eq!(late[&3], 100);
}

#[test]
fn a_key_keeps_its_endpoint_until_that_one_has_more_than_its_share() {
    let bench = bench(4, Algorithm::ConsistentHash);
    let hash = Some(hash_key(b"a popular key"));
    let home = bench.balancer.pick(hash).expect("one").addr();
    assert!((0..20).all(|_| bench.balancer.pick(hash).expect("one").addr() == home));
    let held: Vec<Picked> = (0..40)
        .map(|_| bench.balancer.pick(hash).expect("one"))
        .collect();
    let at_home = held.iter().filter(|p| p.addr() == home).count();
    assert!(
        (10..=14).contains(&at_home),
        "a quarter more than its share of 40, not {at_home}"
    );
}

#[test]
fn a_retry_goes_elsewhere_while_there_is_an_elsewhere() {
    for (_, algorithm) in Algorithm::ALL {
        let bench = bench(3, *algorithm);
        let tried = [addr(1), addr(3)];
        for key in 0..50 {
            let other = bench
                .balancer
                .pick_other(Some(ring::mix(key)), &tried)
                .expect("one");
            assert_eq!(other.addr(), addr(2), "{algorithm:?}");
        }
        let all = [addr(1), addr(2), addr(3)];
        assert!(
            bench.balancer.pick_other(None, &all).is_some(),
            "better again than nowhere"
        );
    }
}

#[test]
fn endpoints_come_and_go_and_the_algorithm_is_a_knob() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
    let ctx = Ctx {
        clock,
        random: Arc::new(SeededRandom::new(7)),
    };
    let (knobs, knob) = Knobs::none().declare::<Algorithm>("balancer", "fairness for latency");
    let discovery = StaticDiscovery::new();
    let config = BalancerConfig::default();
    let choices = Choices {
        algorithm: Chosen::Knob(knob),
        ..Algorithm::P2cEwma.into()
    };
    let balancer = Balancer::new("s", discovery.watch("s"), choices, config, ctx);
    assert!(balancer.pick(None).is_none());
    discovery.set("s", endpoints(1));
    assert_eq!(balancer.pick(None).expect("one").addr(), addr(1));
    knobs
        .set("balancer", "consistent_hash")
        .expect("an allowed value");
    assert_eq!(balancer.algorithm(), Algorithm::ConsistentHash);
    assert_eq!(balancer.pick(Some(1)).expect("one").addr(), addr(1));
    discovery.set("s", Vec::new());
    assert!(balancer.pick(None).is_none());
}

#[test]
fn many_threads_leave_nothing_in_flight() {
    let bench = bench(5, Algorithm::P2cEwma);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let balancer = bench.balancer.clone();
            scope.spawn(move || {
                for n in 0..5_000_u64 {
                    let picked = balancer.pick(None).expect("one");
                    match (n + thread) % 7 {
                        0 => drop(picked),
                        1 => picked.finish(Outcome::ServerError),
                        _ => picked.finish(Outcome::Ok),
                    }
                }
            });
        }
    });
    let view = bench.balancer.view();
    assert!(view.endpoints.iter().all(|e| e.in_flight == 0), "{view:?}");
    assert_eq!(bench.balancer.0.in_flight.load(Ordering::Relaxed), 0);
    assert!(
        view.endpoints.iter().filter(|e| e.in_rotation).count() >= 3,
        "{view:?}"
    );
}
