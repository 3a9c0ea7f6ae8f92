//! Caller and callee that differ: in their version, or in what their clocks say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use faults::{Effect, FaultSpec, Seam};
use http::Response;
use http_body_util::Full;
use kernel::{Clock as _, Code, Coded, Ctx, Deadline, ManualClock, Retry, SystemRandom, Timestamp};
use mesh::rpc::RpcServer;
use mesh::{CallCx, Dispatch, MeshError, contract};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::fixture::*;

contract! {
    /// The shop a version later.
    pub(crate) trait NextShop("shop") error NextError {
        /// Looks something up.
        query look(Look) -> Seen;
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum NextError {
    #[error("closed for a moment")]
    ClosedForAMoment,
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

impl Coded for NextError {
    fn code(&self) -> Code {
        Code::Unavailable
    }

    fn retry(&self) -> Retry {
        Retry::AfterMs(1)
    }
}

/// Fails with what an older caller does not know.
#[derive(Default)]
struct Closed(AtomicU32);

#[async_trait::async_trait]
impl NextShop for Closed {
    async fn look(&self, _cx: &CallCx, _request: Look) -> Result<Seen, NextError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(NextError::ClosedForAMoment)
    }
}

#[tokio::test]
async fn an_error_of_a_later_version_keeps_its_code_and_its_retry() {
    let world = World::new();
    let closed = Arc::new(Closed::default());
    let dispatch: Arc<dyn Dispatch> = NextShopServer::new(closed.clone());
    let (ctx, telemetry) = (world.ctx.clone(), world.telemetry.clone());
    let server = RpcServer::new([dispatch.clone()], None, ctx, telemetry);
    let addr = world
        .listen(move |request| {
            let server = server.clone();
            async move { server.call(request).await }
        })
        .await;
    let edges = [
        world.mesh.strict("strict", dispatch),
        world.mesh.http("http", "shop", world.target(addr)),
    ];
    for edge in edges {
        let before = closed.0.load(Ordering::SeqCst);
        let binding = edge.binding();
        let error = ShopClient(edge).look(&world.cx(), item("tea")).await;
        let error = error.expect_err("a refusal");
        assert_eq!(
            (error.code(), error.retry()),
            (Code::Unavailable, Retry::AfterMs(1)),
            "{binding:?}: {error}"
        );
        let calls = closed.0.load(Ordering::SeqCst) - before;
        assert_eq!(calls, 3, "it may be sent again: {binding:?}");
        let said = "not known here: \"ClosedForAMoment\"";
        assert!(error.to_string().ends_with(said), "{error}");
    }
}

#[tokio::test]
async fn an_error_of_a_later_mesh_keeps_its_code_and_its_retry() {
    let world = World::new();
    let addr = world
        .listen(|_| async {
            Response::builder()
                .status(503)
                .header("content-type", "application/json")
                .header("x-tradewind-error", "mesh unavailable safe")
                .body(Full::new(Bytes::from_static(b"{\"moved_away\":{}}")))
                .expect("a response")
        })
        .await;
    let client = ShopClient(world.mesh.http("test", "shop", world.target(addr)));
    let error = client.look(&world.cx(), item("tea")).await;
    let error = error.expect_err("a failure");
    assert_eq!(
        (error.code(), error.retry()),
        (Code::Unavailable, Retry::Safe),
        "{error}"
    );
}

#[tokio::test]
async fn clocks_of_two_machines_may_differ_by_an_hour() {
    for ahead in [true, false] {
        let world = World::new();
        let hour = Duration::from_secs(3_600);
        let now = world.ctx.now();
        let there = if ahead {
            now.plus(hour)
        } else {
            now.minus(hour)
        };
        let ctx = Ctx {
            clock: Arc::new(ManualClock::at(there)),
            random: Arc::new(SystemRandom),
        };
        let addr = world.serve_on(ctx, None).await;
        let client = ShopClient(world.mesh.http("test", "shop", world.target(addr)));
        let cx = CallCx::until(Deadline(now.plus(Duration::from_secs(60))));
        let seen = client.look(&cx, item("tea")).await.expect("in time");
        let left = seen.deadline.since(there);
        let whole = Duration::from_secs(5);
        assert!(
            left <= whole && left > whole / 2,
            "by the callee's own clock the edge's 5 s are left, not {left:?}"
        );
    }
}

#[tokio::test]
async fn setting_the_clock_neither_prolongs_nor_ends_what_lasts_a_while() {
    let hour = Duration::from_secs(3_600);
    for set in [Timestamp::minus, Timestamp::plus] {
        let world = World::standing();
        let client = world.client(Way::Direct).await;
        let policy = json!({
            "retry": {"attempts": 1},
            "breaker": {"min_volume": 1, "open_ms": 1_000, "half_open_probes": 1},
        });
        world.policy("test", policy);
        world.shop.burns_for.store(1, Ordering::SeqCst);
        let burns = client.look(&world.cx(), item("tea")).await;
        assert_eq!(burns.expect_err("it burns"), ShopError::Burns);
        let lost = FaultSpec::new(Seam::Call, Effect::Drop, 1_000);
        world.faults.inject(lost).expect("a fault");
        world.clock.set(set(world.clock.now(), hour));
        let view = &world.mesh.list()[0];
        assert_eq!(view.breaker.opens_in_ms, 1_000, "no time has passed");
        assert_eq!(view.breaker.since, world.clock.now());
        assert_eq!(view.faults.len(), 1, "no time has passed");
        world.clock.advance(Duration::from_secs(1));
        let seen = client.look(&world.cx(), item("tea")).await;
        assert_eq!(seen.expect("a probe, and no fault").item, "tea");
        assert_eq!(world.mesh.list()[0].breaker.state, "closed");
    }
}
