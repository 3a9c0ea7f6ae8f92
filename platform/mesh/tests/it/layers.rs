//! Each layer of an edge, on the edge.

use std::sync::atomic::Ordering;
use std::time::Duration;

use faults::{Effect, FaultSpec, Seam};
use futures_util::{FutureExt as _, poll};
use kernel::{Code, Coded as _};
use mesh::{MeshError, Policy};
use serde_json::json;

use crate::fixture::*;

fn burn(world: &World, calls: u32) {
    world.shop.burns_for.store(calls, Ordering::SeqCst);
}

#[tokio::test]
async fn a_query_is_sent_again_until_it_succeeds() {
    for way in [Way::Direct, Way::Strict] {
        let world = World::new();
        let client = world.client(way).await;
        burn(&world, 2);
        let seen = client
            .look(&world.cx(), item("tea"))
            .await
            .expect("the third attempt");
        assert_eq!(seen.item, "tea");
        assert_eq!(world.calls(), 3, "{way:?}");
    }
}

#[tokio::test]
async fn a_command_is_sent_again_only_with_a_key() {
    for way in WAYS {
        let world = World::new();
        let client = world.client(way).await;
        burn(&world, 2);
        let buy = Buy {
            item: vec![1],
            fail: false,
        };
        let error = client
            .buy(&world.cx(), buy.clone())
            .await
            .expect_err("once only");
        assert_eq!((error, world.calls()), (ShopError::Burns, 1), "{way:?}");
        let keyed = world.cx().with_idempotency_key("k");
        client.buy(&keyed, buy).await.expect("the second attempt");
        assert_eq!(world.calls(), 3, "{way:?}");
    }
}

#[tokio::test]
async fn the_retry_budget_stops_a_storm() {
    let world = World::standing();
    let client = world.client(Way::Direct).await;
    let policy = json!({
        "retry": {"attempts": 10, "base_ms": 1, "cap_ms": 1, "budget_percent": 10, "budget_min_per_s": 1},
        "breaker": {"on": false},
    });
    world.policy("test", policy);
    burn(&world, u32::MAX);
    for _ in 0..500 {
        client
            .look(&world.cx(), item("tea"))
            .await
            .expect_err("all fail");
    }
    let calls = world.calls();
    assert!(
        (540..=556).contains(&calls),
        "500 calls and a tenth of retries, not {calls}"
    );
}

#[tokio::test]
async fn a_retry_waits_as_long_as_the_callee_asks_and_not_past_the_deadline() {
    let world = World::new();
    let client = world.client(Way::Direct).await;
    let started = std::time::Instant::now();
    let come_back = |ms| Look::Fail(ShopError::ComeBack { ms });
    client
        .look(&world.cx(), come_back(30))
        .await
        .expect_err("it never relents");
    assert!(
        started.elapsed() >= Duration::from_millis(60),
        "two waits of 30 ms"
    );
    assert_eq!(world.calls(), 3);
    client
        .look(&world.cx(), come_back(60_000))
        .await
        .expect_err("longer than the deadline");
    assert_eq!(world.calls(), 4, "not worth waiting for");
}

#[tokio::test]
async fn the_breaker_opens_half_opens_and_closes() {
    let world = World::standing();
    let client = world.client(Way::Direct).await;
    let policy = json!({
        "retry": {"attempts": 1},
        "breaker": {"min_volume": 10, "open_ms": 1000, "half_open_probes": 2},
    });
    world.policy("test", policy);
    burn(&world, 10);
    for _ in 0..10 {
        let error = client
            .look(&world.cx(), item("tea"))
            .await
            .expect_err("it burns");
        assert_eq!(error, ShopError::Burns);
    }
    let error = client
        .look(&world.cx(), item("tea"))
        .await
        .expect_err("held back");
    let open = MeshError::BreakerOpen {
        service: "shop".into(),
        after_ms: 1_000,
    };
    assert_eq!((error, world.calls()), (ShopError::Mesh(open), 10));
    assert_eq!(world.mesh.list()[0].breaker.state, "open");
    world.clock.advance(Duration::from_secs(1));
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect("the first probe");
    assert_eq!(world.mesh.list()[0].breaker.state, "half_open");
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect("the second probe");
    assert_eq!(world.mesh.list()[0].breaker.state, "closed");
    let timeline = world.timeline();
    let expected = [
        "policy of test -> shop changed",
        "breaker test -> shop opened: 10 of 10 calls failed",
        "breaker test -> shop lets probes through",
        "breaker test -> shop closed: its probes succeeded",
    ];
    assert_eq!(timeline, expected);
}

#[tokio::test]
async fn a_callees_own_no_does_not_open_the_breaker() {
    let world = World::standing();
    let client = world.client(Way::Direct).await;
    for _ in 0..100 {
        let no = ShopError::NoSuchItem {
            item: "unicorn".into(),
        };
        client
            .look(&world.cx(), Look::Fail(no))
            .await
            .expect_err("no such item");
    }
    assert_eq!(world.mesh.list()[0].breaker.state, "closed");
}

#[tokio::test]
async fn calls_that_hang_open_the_breaker() {
    let world = World::new();
    let client = world.client(Way::Direct).await;
    let policy = json!({"timeout_ms": 20, "retry": {"attempts": 1}, "breaker": {"min_volume": 5}});
    world.policy("test", policy);
    for _ in 0..5 {
        let error = client
            .look(&world.cx(), Look::Hang)
            .await
            .expect_err("too late");
        assert_eq!(error.code(), Code::DeadlineExceeded);
    }
    assert_eq!(world.mesh.list()[0].breaker.state, "open");
}

#[tokio::test]
async fn a_probe_that_never_comes_back_frees_its_place() {
    let world = World::standing();
    let client = world.client(Way::Direct).await;
    let policy = json!({
        "timeout_ms": 3_600_000,
        "retry": {"attempts": 1},
        "breaker": {"min_volume": 1, "open_ms": 1000, "half_open_probes": 1, "probe_lease_ms": 4000},
    });
    world.policy("test", policy);
    burn(&world, 1);
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect_err("it burns");
    world.clock.advance(Duration::from_secs(1));
    let cx = world.cx();
    let mut lost = client.look(&cx, Look::Hang).boxed();
    assert!(
        poll!(&mut lost).is_pending(),
        "the probe is under way, and stays so"
    );
    let error = client
        .look(&world.cx(), item("tea"))
        .await
        .expect_err("one probe at a time");
    assert!(
        matches!(error, ShopError::Mesh(MeshError::BreakerOpen { .. })),
        "{error}"
    );
    world.clock.advance(Duration::from_secs(4));
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect("its lease has ended: the next probe");
    assert_eq!(world.mesh.list()[0].breaker.state, "closed");
    drop(lost);
    assert_eq!(
        world.mesh.list()[0].breaker.state,
        "closed",
        "a late end says nothing"
    );
}

#[tokio::test]
async fn a_full_bulkhead_harms_only_its_own_edge() {
    let world = World::new();
    let (greedy, modest) = (world.direct("greedy"), world.direct("modest"));
    let policy =
        json!({"bulkhead": {"max_in_flight": 2, "max_waiting": 1}, "retry": {"attempts": 1}});
    world.policy("greedy", policy);
    let cx = world.cx();
    let mut hanging: Vec<_> = (0..3)
        .map(|_| greedy.look(&cx, Look::Hang).boxed())
        .collect();
    for call in &mut hanging {
        assert!(poll!(call).is_pending());
    }
    let view = &world.mesh.list()[0];
    assert_eq!((view.in_flight, view.waiting, world.calls()), (2, 1, 2));
    let error = greedy.look(&cx, item("tea")).await.expect_err("no place");
    assert_eq!(
        error,
        ShopError::Mesh(MeshError::BulkheadFull {
            service: "shop".into()
        })
    );
    modest
        .look(&cx, item("tea"))
        .await
        .expect("another edge has its own");
    assert_eq!(
        world.mesh.list()[0].breaker.state,
        "closed",
        "our own refusals are no failures"
    );
    hanging.truncate(1);
    greedy
        .look(&cx, item("tea"))
        .await
        .expect("there is room again");
}

#[tokio::test]
async fn a_fault_ends_by_itself() {
    let world = World::standing();
    let client = world.client(Way::Direct).await;
    world.policy("test", json!({"retry": {"attempts": 1}}));
    let spec = FaultSpec::error(Seam::Call, Code::Unavailable, 5_000).of("look");
    let fault = world.faults.inject(spec).expect("a fault");
    assert_eq!(world.mesh.list()[0].faults, std::slice::from_ref(&fault));
    let error = client
        .look(&world.cx(), item("tea"))
        .await
        .expect_err("the fault");
    assert!(
        matches!(&error, ShopError::Mesh(MeshError::Injected { fault: id, .. }) if **id == *fault.id)
    );
    assert_eq!((error.code(), world.calls()), (Code::Unavailable, 0));
    client
        .buy(
            &world.cx(),
            Buy {
                item: vec![],
                fail: false,
            },
        )
        .await
        .expect("another method");
    world.clock.advance(Duration::from_secs(5));
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect("it has ended");
    let view = &world.mesh.list()[0];
    assert!(view.faults.is_empty());
}

#[tokio::test]
async fn a_fault_hits_its_share_of_the_calls() {
    let world = World::standing();
    let client = world.client(Way::Direct).await;
    world.policy(
        "test",
        json!({"retry": {"attempts": 1}, "breaker": {"on": false}}),
    );
    let spec = FaultSpec::error(Seam::Call, Code::Internal, 1_000).share(0.25);
    world.faults.inject(spec).expect("a fault");
    let mut hit = 0;
    for _ in 0..2_000 {
        hit += u32::from(client.look(&world.cx(), item("tea")).await.is_err());
    }
    assert!((400..600).contains(&hit), "a quarter of 2000, not {hit}");
}

#[tokio::test]
async fn latency_and_loss_are_faults_too_and_can_be_ended_early() {
    let world = World::new();
    let client = world.client(Way::Direct).await;
    world.policy(
        "test",
        json!({"timeout_ms": 1_000, "retry": {"attempts": 1}}),
    );
    let slow = FaultSpec::latency(Seam::Call, 30, 60_000);
    let slow = world.faults.inject(slow).expect("a fault");
    let started = std::time::Instant::now();
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect("late, but well");
    assert!(started.elapsed() >= Duration::from_millis(30));
    assert!(world.faults.end(&slow.id) && !world.faults.end(&slow.id));
    let lost = FaultSpec::new(Seam::Call, Effect::Drop, 60_000);
    world.faults.inject(lost).expect("a fault");
    let error = client
        .look(&world.cx(), item("tea"))
        .await
        .expect_err("lost on the way");
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_change_of_policy_takes_effect_with_the_next_call() {
    let world = World::new();
    let client = world.client(Way::Direct).await;
    burn(&world, 1);
    world.policy("test", json!({"retry": {"attempts": 1}}));
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect_err("no retry now");
    burn(&world, 1);
    world.policy("test", json!({"retry": {"attempts": 2}}));
    client
        .look(&world.cx(), item("tea"))
        .await
        .expect("a retry now");
    world.policy("test", json!({"timeout_ms": 15}));
    let error = client
        .look(&world.cx(), Look::Hang)
        .await
        .expect_err("soon over");
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words() {
    let world = World::new();
    let _client = world.client(Way::Direct).await;
    let policy = Policy {
        timeout_ms: 0,
        ..Policy::default()
    };
    let error = world
        .mesh
        .set_policy("test", "shop", policy)
        .expect_err("no time at all");
    let said = "the policy is not valid: /timeout_ms is 0; it must be 1 to 3600000";
    assert_eq!(
        (error.to_string().as_str(), error.code()),
        (said, Code::Invalid)
    );
    let error = world
        .mesh
        .set_policy("test", "shopp", Policy::default())
        .expect_err("a slip");
    let said = "no edge goes from 'test' to 'shopp'; did you mean test -> shop?";
    assert_eq!(
        (error.to_string().as_str(), error.code()),
        (said, Code::NotFound)
    );
}

#[tokio::test]
async fn edges_are_counted_and_shown() {
    let world = World::standing();
    let client = world.client(Way::Direct).await;
    for _ in 0..30 {
        client.look(&world.cx(), item("tea")).await.expect("ok");
    }
    client
        .look(
            &world.cx(),
            Look::Fail(ShopError::NoSuchItem { item: "x".into() }),
        )
        .await
        .ok();
    world.clock.advance(Duration::from_secs(1));
    let view = &world.mesh.list()[0];
    assert_eq!((&*view.caller, &*view.callee), ("test", "shop"));
    assert!(
        (view.rates.calls_per_s - 3.1).abs() < 1e-9,
        "{:?}",
        view.rates
    );
    let text = world.telemetry.metrics.render();
    assert!(
        text.contains(r#"mesh_calls_total{callee="shop",caller="test",code="ok"} 30"#),
        "{text}"
    );
    assert!(text.contains(r#"code="not_found"} 1"#), "{text}");
    serde_json::to_value(view).expect("the console gets it as JSON");
}
