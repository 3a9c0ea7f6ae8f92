//! What must be the same whichever way a call travels, and what strict shows that direct hides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Coded as _, Deadline, Principal};
use mesh::{CallCx, MeshError};
use telemetry::TraceContext;

use crate::fixture::*;

#[tokio::test]
async fn the_same_story_holds_on_every_binding() {
    for way in WAYS {
        let world = World::new();
        let client = world.client(way).await;
        let trace = TraceContext {
            trace_id: 0xabc,
            span_id: 7,
            sampled: true,
        };
        let cx = world
            .cx()
            .with_caller(Principal::service("alice"))
            .with_idempotency_key("k1")
            .with_trace(trace);
        let seen = client.look(&cx, item("tea")).await.expect("an answer");
        assert_eq!(
            (&*seen.item, seen.caller.as_deref()),
            ("tea", Some("alice")),
            "{way:?}"
        );
        assert_eq!(seen.trace_id, trace.trace_id_hex(), "{way:?}");
        let buy = Buy {
            item: vec![1, 2, 3],
            fail: false,
        };
        let bought = client.buy(&cx, buy).await.expect("an answer");
        assert_eq!(bought.key.as_deref(), Some("k1"), "{way:?}");
        let spans = world.telemetry.traces.trace(trace.trace_id);
        assert!(spans.iter().any(|s| s.name == "shop.look"), "{way:?}");
        assert_eq!(world.calls(), 2, "{way:?}");
    }
}

#[tokio::test]
async fn errors_cross_every_binding_unchanged() {
    for way in WAYS {
        let world = World::new();
        let client = world.client(way).await;
        let errors = [
            ShopError::NoSuchItem {
                item: "a unicorn".into(),
            },
            ShopError::ComeBack { ms: 60_000 },
            ShopError::Mesh(MeshError::NoEndpoint {
                service: "storage".into(),
            }),
            ShopError::Mesh(MeshError::UnknownError {
                service: "storage".into(),
                code: kernel::Code::Unavailable,
                retry: kernel::Retry::AfterMs(60_000),
                said: "{}".into(),
            }),
        ];
        for error in errors {
            let cx = CallCx::new(&*world.ctx.clock, Duration::from_secs(5));
            let got = client
                .look(&cx, Look::Fail(error.clone()))
                .await
                .expect_err("a refusal");
            assert_eq!(got, error, "{way:?}");
            assert_eq!(
                (got.code(), got.retry()),
                (error.code(), error.retry()),
                "{way:?}"
            );
        }
    }
}

#[tokio::test]
async fn keys_and_callers_cross_every_binding_whatever_they_are_written_in() {
    for way in WAYS {
        let world = World::new();
        let client = world.client(way).await;
        for text in [
            "Bestellung-\u{fc}-17",
            "\u{8ba2}\u{5355}",
            "50%41",
            " a b\t",
            "100%",
        ] {
            let cx = world
                .cx()
                .with_caller(Principal::service(text))
                .with_idempotency_key(text);
            let seen = client.look(&cx, item("tea")).await.expect("an answer");
            assert_eq!(seen.caller.as_deref(), Some(text), "{way:?}");
            let buy = Buy {
                item: vec![1],
                fail: false,
            };
            let bought = client.buy(&cx, buy).await.expect("an answer");
            assert_eq!(bought.key.as_deref(), Some(text), "{way:?}");
        }
    }
}

#[tokio::test]
async fn the_callee_sees_the_earlier_deadline() {
    for way in WAYS {
        let world = World::standing();
        let client = world.client(way).await;
        let now = world.ctx.now();
        let soon = now.plus(Duration::from_secs(2));
        let seen = client
            .look(&CallCx::until(Deadline(soon)), item("tea"))
            .await
            .expect("ok");
        assert_eq!(seen.deadline, soon, "the caller's own: {way:?}");
        let late = now.plus(Duration::from_secs(3_600));
        let seen = client
            .look(&CallCx::until(Deadline(late)), item("tea"))
            .await
            .expect("ok");
        assert_eq!(
            seen.deadline,
            now.plus(Duration::from_secs(5)),
            "the edge's: {way:?}"
        );
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    for way in WAYS {
        let world = World::new();
        let client = world.client(way).await;
        let cx = CallCx::new(&*world.ctx.clock, Duration::from_millis(60));
        let error = client.look(&cx, Look::Hang).await.expect_err("too late");
        let expected = MeshError::DeadlineExceeded {
            service: "shop".into(),
        };
        assert_eq!(error, ShopError::Mesh(expected), "{way:?}");
        let passed = CallCx::until(Deadline(world.ctx.now()));
        let before = world.calls();
        client
            .look(&passed, item("tea"))
            .await
            .expect_err("it has passed already");
        assert_eq!(world.calls(), before, "nobody is bothered with it: {way:?}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_never_made() {
    for way in WAYS {
        let world = World::new();
        let client = world.client(way).await;
        drop(client.look(&world.cx(), item("tea")));
        assert_eq!(world.mesh.list()[0].in_flight, 0, "{way:?}");
        assert_eq!(world.calls(), 0, "{way:?}");
    }
}

#[tokio::test]
async fn direct_moves_the_message_and_a_retry_keeps_its_own() {
    let world = World::new();
    let client = world.client(Way::Direct).await;
    let item = vec![7; 1_000];
    let address = item.as_ptr() as usize;
    let bought = client
        .buy(&world.cx(), Buy { item, fail: false })
        .await
        .expect("ok");
    assert_eq!(
        bought.address, address,
        "a command without a key is never sent twice: moved"
    );
    let item = vec![7; 1_000];
    let address = item.as_ptr() as usize;
    let keyed = world.cx().with_idempotency_key("k");
    let bought = client
        .buy(&keyed, Buy { item, fail: false })
        .await
        .expect("ok");
    assert_ne!(
        bought.address, address,
        "the caller's own copy stays for a retry"
    );
}

#[tokio::test]
async fn strict_parts_the_memory_of_caller_and_callee() {
    for (way, shared) in [(Way::Direct, 1), (Way::Strict, 0)] {
        let world = World::new();
        let client = world.client(way).await;
        let count = Arc::new(AtomicU64::new(0));
        let answer = client
            .lend(
                &world.cx(),
                Lent {
                    count: count.clone(),
                },
            )
            .await
            .expect("ok");
        assert_eq!(answer.count.load(Ordering::SeqCst), 1, "{way:?}");
        assert_eq!(count.load(Ordering::SeqCst), shared, "{way:?}");
    }
}

#[tokio::test]
async fn strict_shows_an_error_that_cannot_be_written() {
    let error = ShopError::Unwritable([((1, 2), 3)].into());
    let world = World::new();
    let client = world.client(Way::Direct).await;
    let got = client
        .look(&world.cx(), Look::Fail(error.clone()))
        .await
        .expect_err("a refusal");
    assert_eq!(got, error);
    for way in [Way::Strict, Way::Http] {
        let client = world.client(way).await;
        let got = client
            .look(&world.cx(), Look::Fail(error.clone()))
            .await
            .expect_err("no JSON");
        assert!(
            matches!(got, ShopError::Mesh(MeshError::Codec { .. })),
            "{way:?}: {got:?}"
        );
        assert!(
            got.to_string()
                .starts_with("cannot encode a message of shop: key must"),
            "{got}"
        );
    }
}
