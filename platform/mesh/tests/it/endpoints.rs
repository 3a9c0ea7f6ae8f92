//! Edges over HTTP to endpoints that hang, fail and are gone: ejection, retries, breaker and budget.

use std::future::pending;
use std::sync::atomic::Ordering;

use kernel::{Code, Coded as _};
use mesh::MeshError;
use mesh::balance::Algorithm;
use serde_json::json;

use crate::fixture::*;

#[tokio::test]
async fn an_endpoint_that_hangs_is_ejected_and_says_why() {
    let world = World::new();
    let well = world.serve(None).await;
    let hung = world.listen(|_| pending()).await;
    let target = world.target_of([hung, well], Algorithm::RoundRobin);
    let client = ShopClient(world.mesh.http("test", "shop", target));
    let policy = json!({"timeout_ms": 400, "retry": {"attempts": 1}, "breaker": {"on": false}});
    world.policy("test", policy);
    let mut late = 0;
    while endpoint(&world, hung).in_rotation {
        if let Err(error) = client.look(&world.cx(), item("tea")).await {
            assert_eq!(error.code(), Code::DeadlineExceeded);
            late += 1;
        }
        assert!(late <= 10, "it still gets its share after {late} calls");
    }
    let why = endpoint(&world, hung).why_out.expect("a reason");
    assert!(why.contains("it did not answer in time after"), "{why}");
    world.policy("test", json!({"retry": {"attempts": 1}}));
    for _ in 0..20 {
        client.look(&world.cx(), item("tea")).await.expect("well");
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_early_says_nothing_about_its_endpoint() {
    let world = World::new();
    let hung = world.listen(|_| pending()).await;
    let target = world.target_of([hung], Algorithm::RoundRobin);
    let client = ShopClient(world.mesh.http("test", "shop", target));
    for _ in 0..10 {
        let cx = world.cx();
        let call = client.look(&cx, item("tea"));
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(5), call).await;
        assert!(given_up.is_err(), "nobody answers");
    }
    let view = endpoint(&world, hung);
    assert_eq!((view.in_flight, view.penalty_ms), (0, 0.0));
}

#[tokio::test]
async fn a_retry_finds_the_endpoint_that_is_there() {
    let world = World::new();
    let well = world.serve(None).await;
    let gone = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    let target = world.target_of([gone, well], Algorithm::RoundRobin);
    let client = ShopClient(world.mesh.http("test", "shop", target));
    let buy = Buy {
        item: vec![1],
        fail: false,
    };
    for n in 0..10 {
        let keyed = world.cx().with_idempotency_key(format!("k{n}"));
        client.buy(&keyed, buy.clone()).await.expect("the other");
    }
    assert_eq!(world.calls(), 10, "each took effect once");
    assert!(!endpoint(&world, gone).in_rotation);
}

#[tokio::test]
async fn the_breaker_opens_over_http_and_spares_the_callee() {
    let world = World::new();
    let client = world.client(Way::Http).await;
    let policy = json!({"retry": {"attempts": 1}, "breaker": {"min_volume": 10}});
    world.policy("test", policy);
    world.shop.burns_for.store(10, Ordering::SeqCst);
    for _ in 0..10 {
        let error = client.look(&world.cx(), item("tea")).await;
        assert_eq!(error.expect_err("it burns"), ShopError::Burns);
    }
    let error = client.look(&world.cx(), item("tea")).await;
    let error = error.expect_err("held back");
    assert!(
        matches!(error, ShopError::Mesh(MeshError::BreakerOpen { .. })),
        "{error}"
    );
    assert_eq!(world.calls(), 10);
}

#[tokio::test]
async fn the_retry_budget_holds_over_http() {
    let world = World::standing();
    let client = world.client(Way::Http).await;
    let policy = json!({
        "retry": {"attempts": 10, "base_ms": 1, "cap_ms": 1, "budget_percent": 10, "budget_min_per_s": 1},
        "breaker": {"on": false},
    });
    world.policy("test", policy);
    world.shop.burns_for.store(u32::MAX, Ordering::SeqCst);
    for _ in 0..100 {
        let error = client.look(&world.cx(), item("tea")).await;
        assert_eq!(error.expect_err("all fail"), ShopError::Burns);
    }
    let calls = world.calls();
    assert!(
        (110..=116).contains(&calls),
        "100 calls, a tenth of retries and the first second's, not {calls}"
    );
}

fn endpoint(world: &World, addr: std::net::SocketAddr) -> mesh::balance::EndpointView {
    let edges = world.mesh.list();
    let view = edges[0].endpoints.as_ref().expect("a balanced edge");
    let found = view.endpoints.iter().find(|e| e.addr == addr);
    found.expect("a known endpoint").clone()
}
