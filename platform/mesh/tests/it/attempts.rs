//! The time limit of one attempt: what hangs is sent again, and the breaker learns of it.

use std::time::Duration;

use futures_util::future::join_all;
use mesh::{MeshError, Policy};
use serde_json::json;

use crate::fixture::*;

fn late() -> ShopError {
    ShopError::Mesh(MeshError::DeadlineExceeded {
        service: "shop".to_owned(),
    })
}

#[tokio::test]
async fn what_hangs_is_sent_again_only_when_an_attempt_has_a_limit() {
    let tries = WAYS.map(|way| async move {
        // Far longer than a call takes to arrive on a busy machine.
        for (timeout_ms, limit_ms, calls) in [(1_500, 0, 1), (60_000, 1_000, 3)] {
            let world = World::new();
            let client = world.client(way).await;
            let retry = json!({"attempts": 3, "base_ms": 1, "attempt_timeout_ms": limit_ms});
            world.policy("test", json!({"timeout_ms": timeout_ms, "retry": retry}));
            let error = client.look(&world.cx(), Look::Hang).await;
            assert_eq!(error, Err(late()), "{way:?}");
            assert_eq!(world.calls(), calls, "{way:?}, {limit_ms} ms an attempt");
        }
    });
    join_all(tries).await;
}

#[tokio::test]
async fn the_callee_sees_the_deadline_of_the_attempt() {
    for way in WAYS {
        let world = World::standing();
        let client = world.client(way).await;
        let retry = json!({"attempts": 2, "attempt_timeout_ms": 700});
        world.policy("test", json!({"timeout_ms": 2_000, "retry": retry}));
        let seen = client.look(&world.cx(), item("tea")).await;
        let deadline = seen.expect("it answers").deadline;
        let limit = Duration::from_millis(700);
        assert_eq!(deadline, world.ctx.now().plus(limit), "{way:?}");
    }
}

#[tokio::test]
async fn attempts_that_run_out_of_time_open_the_breaker() {
    let world = World::new();
    let client = world.client(Way::Direct).await;
    let policy = json!({
        "retry": {"attempts": 3, "base_ms": 1, "attempt_timeout_ms": 20},
        "breaker": {"min_volume": 3, "open_ms": 60_000},
    });
    world.policy("test", policy);
    let error = client.look(&world.cx(), Look::Hang).await;
    assert_eq!(error, Err(late()));
    let error = client.look(&world.cx(), item("tea")).await;
    let held_back = matches!(error, Err(ShopError::Mesh(MeshError::BreakerOpen { .. })));
    assert!(
        held_back,
        "three attempts of one call were enough: {error:?}"
    );
}

#[test]
fn an_attempt_has_no_limit_of_its_own_unless_a_policy_says_so() {
    assert_eq!(Policy::default().retry.attempt_timeout_ms, 0);
}
