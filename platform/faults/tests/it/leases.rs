//! How faults begin, strike and end.

use std::sync::Arc;
use std::time::Duration;

use faults::{Changed, Effect, FAULTS_MAX, Facts, FaultSpec, Faults, FaultyClock, Seam, Wait};
use kernel::{Clock as _, Code, Ctx, ManualClock, SystemRandom, Timestamp};
use parking_lot::Mutex;

struct World {
    clock: Arc<ManualClock>,
    ctx: Ctx,
    faults: Faults,
    seen: Arc<Mutex<Vec<(String, Changed)>>>,
}

fn world() -> World {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
    let ctx = Ctx {
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
    };
    let faults = Faults::new(ctx.clone());
    let seen: Arc<Mutex<Vec<(String, Changed)>>> = Arc::default();
    let noted = Arc::clone(&seen);
    faults.listen(move |change| {
        noted
            .lock()
            .push((change.fault.id.to_string(), change.kind))
    });
    World {
        clock,
        ctx,
        faults,
        seen,
    }
}

fn lost(ttl_ms: u64) -> FaultSpec {
    FaultSpec::new(Seam::Call, Effect::Drop, ttl_ms)
}

fn pattern(faults: &Faults, times: usize) -> Vec<bool> {
    let one = |_| !faults.hits(Seam::Call, Facts::default()).is_empty();
    (0..times).map(one).collect()
}

#[test]
fn a_lease_ends_on_the_data_path_and_setting_the_clock_changes_nothing() {
    let World {
        clock,
        faults,
        seen,
        ..
    } = world();
    assert!(!faults.any(Seam::Call));
    faults.inject_as("a", lost(5_000)).expect("a fault");
    assert!(faults.any(Seam::Call) && !faults.any(Seam::Request));
    clock.set(Timestamp::from_secs(1_000_000));
    assert_eq!(faults.hits(Seam::Call, Facts::default()).len(), 1);
    assert_eq!(faults.list()[0].left_ms, 5_000);
    clock.advance(Duration::from_millis(4_999));
    assert_eq!(faults.hits(Seam::Call, Facts::default()).len(), 1);
    clock.advance(Duration::from_millis(1));
    assert!(faults.hits(Seam::Call, Facts::default()).is_empty());
    assert!(!faults.any(Seam::Call), "at rest again");
    let ends = [
        ("a".to_owned(), Changed::Begun),
        ("a".to_owned(), Changed::Expired),
    ];
    assert_eq!(*seen.lock(), ends);
}

#[test]
fn the_same_seed_makes_the_same_decisions_and_another_one_others() {
    let struck = |seed, jitter_ms| {
        let World { faults, .. } = world();
        let wait = Wait { ms: 50, jitter_ms };
        let spec = FaultSpec::new(Seam::Call, Effect::Latency(wait), 5_000);
        faults
            .inject(spec.share(0.3).seeded(seed))
            .expect("a fault");
        pattern(&faults, 200)
    };
    assert_eq!(struck(7, 0), struck(7, 0));
    assert_eq!(struck(7, 0), struck(7, 20), "jitter draws from elsewhere");
    assert_ne!(struck(7, 0), struck(8, 0));
    let share = struck(7, 0).iter().filter(|hit| **hit).count();
    assert!((30..90).contains(&share), "about 60 of 200, not {share}");
}

#[test]
fn a_seed_that_was_drawn_is_shown_and_repeats_the_run() {
    let World { faults, .. } = world();
    let fault = faults.inject(lost(5_000).share(0.5)).expect("a fault");
    let first = pattern(&faults, 100);
    let again = world().faults;
    again.inject(fault.spec).expect("the same fault");
    assert_eq!(pattern(&again, 100), first);
}

#[test]
fn jitter_spreads_around_the_mean() {
    let World { faults, .. } = world();
    let wait = Wait {
        ms: 100,
        jitter_ms: 40,
    };
    let spec = FaultSpec::new(Seam::Request, Effect::Latency(wait), 5_000);
    faults.inject(spec).expect("a fault");
    let one = |_| {
        faults.hits(Seam::Request, Facts::default())[0]
            .delay()
            .as_millis()
    };
    let waits: Vec<u128> = (0..500).map(one).collect();
    assert!(waits.iter().all(|ms| (60..=140).contains(ms)), "{waits:?}");
    assert!(waits.iter().any(|ms| *ms < 80) && waits.iter().any(|ms| *ms > 120));
}

#[test]
fn a_cap_ends_the_fault_when_it_has_struck_so_often() {
    let World { faults, seen, .. } = world();
    faults
        .inject_as("capped", lost(5_000).at_most(3))
        .expect("a fault");
    assert_eq!(pattern(&faults, 10).iter().filter(|hit| **hit).count(), 3);
    assert!(faults.list().is_empty());
    assert_eq!(
        seen.lock().last(),
        Some(&("capped".to_owned(), Changed::Spent))
    );
}

#[test]
fn a_cap_holds_when_many_strike_at_once() {
    let World { faults, .. } = world();
    faults.inject(lost(60_000).at_most(100)).expect("a fault");
    let struck = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let hits = pattern(&faults, 200).iter().filter(|hit| **hit).count();
                struck.fetch_add(hits, std::sync::atomic::Ordering::Relaxed);
            });
        }
    });
    assert_eq!(struck.into_inner(), 100);
}

#[test]
fn a_selector_spares_everybody_else() {
    let World { faults, .. } = world();
    faults
        .inject(lost(5_000).on("links").of("resolve"))
        .expect("a fault");
    let path = FaultSpec::error(Seam::Request, Code::Internal, 5_000).of("/api/");
    faults.inject(path).expect("a fault");
    let facts = |service, method| Facts {
        service: Some(service),
        caller: Some("gateway"),
        method: Some(method),
    };
    let hit = |seam, service, method| !faults.hits(seam, facts(service, method)).is_empty();
    assert!(hit(Seam::Call, "links", "resolve"));
    assert!(!hit(Seam::Call, "links", "create") && !hit(Seam::Call, "users", "resolve"));
    assert!(hit(Seam::Request, "links", "/api/links") && !hit(Seam::Request, "links", "/hello"));
}

#[test]
fn there_are_bounds_and_one_id_is_one_fault() {
    let World { faults, .. } = world();
    for n in 0..FAULTS_MAX {
        faults
            .inject_as(&format!("f-{n}"), lost(5_000))
            .expect("room");
    }
    faults
        .inject_as("f-0", lost(9_000))
        .expect("in the place of the one before");
    assert_eq!(faults.list().len(), FAULTS_MAX);
    let error = faults.inject(lost(5_000)).expect_err("one too many");
    assert!(error.to_string().contains("end one first"), "{error}");
    assert!(faults.end("f-1") && !faults.end("f-1"));
    assert_eq!(faults.clear().len(), FAULTS_MAX - 1);
    for id in ["", "a/b", &"x".repeat(41)] {
        faults.inject_as(id, lost(1)).expect_err("no name");
    }
}

#[test]
fn a_clock_that_is_set_shows_another_time_and_lets_as_much_pass() {
    let World {
        clock, ctx, faults, ..
    } = world();
    let process = FaultyClock::ctx(&ctx, &faults);
    let back = FaultSpec::new(Seam::Clock, Effect::Step { ms: -60_000 }, 1_000);
    faults.inject(back).expect("a fault");
    assert_eq!(process.now(), Timestamp::from_secs(940));
    assert_eq!(process.steady(), clock.steady());
    clock.advance(Duration::from_secs(1));
    assert_eq!(process.now(), Timestamp::from_secs(1_001), "it has ended");
}

#[tokio::test]
async fn ending_a_fault_lets_go_of_those_that_it_holds_up() {
    let faults = Faults::default();
    let hour = FaultSpec::latency(Seam::Call, 3_600_000, 3_600_000);
    let fault = faults.inject(hour).expect("a fault");
    let hit = faults.hits(Seam::Call, Facts::default()).remove(0);
    let (held, ()) = tokio::join!(hit.hold_up(), async {
        assert!(faults.end(&fault.id));
    });
    assert_eq!((held, hit.lasts()), ((), false));
}

#[tokio::test]
async fn no_wait_outlasts_its_lease() {
    let faults = Faults::default();
    faults
        .inject(FaultSpec::latency(Seam::Call, 3_600_000, 50))
        .expect("a fault");
    // Without the bound this would wait for an hour.
    faults.hits(Seam::Call, Facts::default())[0].hold_up().await;
    assert!(faults.list().is_empty());
}
