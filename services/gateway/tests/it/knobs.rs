//! Design choices that are turned while requests go through.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{Method, StatusCode};
use testkit::eventually;

use crate::world::{Setup, World};

const SOON: Duration = Duration::from_secs(60);

/// A gateway that asks its replicas every 20 ms.
async fn checking(replicas: usize) -> World {
    let mut setup = Setup::default();
    setup.config.health.active = true;
    setup.config.health.interval_ms = 20;
    World::start(replicas, setup).await
}

/// Waits until a replica has not been asked for how it is in twenty looks.
async fn unasked(world: &World) {
    let checks = || world.replicas[0].state.checks.load(Ordering::SeqCst);
    let (seen, same) = (Cell::new(checks()), Cell::new(0));
    eventually("nobody checks", SOON, async || {
        let before = seen.replace(checks());
        same.set(if seen.get() == before {
            same.get() + 1
        } else {
            0
        });
        same.get() == 20
    })
    .await;
}

#[tokio::test]
async fn health_checks_are_turned_off_and_on_while_a_replica_is_out() {
    let world = checking(2).await;
    // In turn: the cheaper of two may be the same one for long.
    world.knobs.set("balancer", "round_robin").unwrap();
    *world.replicas[0].state.unready.lock() = true;
    let out = async || world.rotation() == [false, true];
    eventually("it is out", SOON, out).await;
    world.knobs.set("health_checks", "off").unwrap();
    assert_eq!(world.rotation(), [true, true], "it is back at once");
    let before = world.replicas[0].requests();
    let asked = async || {
        world.get("/x").await;
        world.replicas[0].requests() > before
    };
    eventually("it gets requests", SOON, asked).await;
    unasked(&world).await;
    world.knobs.set("health_checks", "on").unwrap();
    eventually("it is out again", SOON, out).await;
    world.drain().await;
}

#[tokio::test]
async fn where_no_checks_are_configured_the_knob_brings_none() {
    let world = World::with_replicas(1).await;
    world.knobs.set("health_checks", "off").unwrap();
    world.knobs.set("health_checks", "on").unwrap();
    world.get("/x").await;
    unasked(&world).await;
    assert_eq!(world.replicas[0].state.checks.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn ejection_is_turned_off_and_on_while_a_replica_is_out() {
    let world = World::with_replicas(2).await;
    world.knobs.set("balancer", "round_robin").unwrap();
    *world.replicas[0].state.status.lock() = Some(StatusCode::INTERNAL_SERVER_ERROR);
    let run = async || {
        let before = world.replicas[0].requests();
        for _ in 0..20 {
            world.get("/x").await;
        }
        world.replicas[0].requests() - before
    };
    run().await;
    assert_eq!(world.rotation(), [false, true]);
    assert_eq!(run().await, 0);
    world.knobs.set("ejection", "off").unwrap();
    assert_eq!(run().await, 10, "it is back at once, and stays");
    assert_eq!(world.rotation(), [true, true]);
    world.knobs.set("ejection", "on").unwrap();
    run().await;
    assert_eq!(world.rotation(), [false, true]);
}

#[tokio::test]
async fn retries_are_bounded_by_a_budget_or_by_their_attempts_alone() {
    let mut setup = Setup::default();
    setup.config.upstream.retry.budget_percent = 0;
    setup.config.upstream.retry.budget_min_per_s = 0;
    let world = World::start(2, setup).await;
    let attempts = async |method: Method, body: &str| {
        let before = world.requests();
        let (path, body) = ("/break", body.to_owned());
        let reply = world.client.send(method, path, &[], body).await.unwrap();
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
        world.requests() - before
    };
    assert_eq!(attempts(Method::GET, "").await, 1, "the budget is empty");
    world.knobs.set("retries", "unlimited").unwrap();
    for _ in 0..20 {
        assert_eq!(attempts(Method::GET, "").await, 3);
    }
    assert_eq!(attempts(Method::POST, "x").await, 1, "it may have acted");
    world.knobs.set("retries", "budget").unwrap();
    assert_eq!(attempts(Method::GET, "").await, 1);
}

#[tokio::test]
async fn without_retries_a_dead_replica_is_seen() {
    let world = World::with_replicas(2).await;
    world.knobs.set("ejection", "off").unwrap();
    world.knobs.set("balancer", "round_robin").unwrap();
    world.replicas[0].kill();
    let good = async || {
        let mut good = 0;
        for _ in 0..10 {
            good += usize::from(world.get("/x").await.status == StatusCode::OK);
        }
        good
    };
    assert_eq!(good().await, 10, "the other one answers");
    world.knobs.set("retries", "off").unwrap();
    assert_eq!(good().await, 5);
    world.knobs.set("retries", "unlimited").unwrap();
    assert_eq!(good().await, 10);
}
