//! What holds with memory alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache::{Cache, CacheConfig, Entry, Loading, Tier};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use telemetry::Metrics;
use tokio::sync::{Notify, oneshot};

use crate::{Down, Page, clock, config, in_memory};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_ask_at_once_load_once() {
    let metrics = Metrics::new();
    let cache = Cache::<Page>::new(config(Tier::Memory), &kernel::Ctx::system(), &metrics);
    let loads = Arc::new(AtomicU32::new(0));
    let gate = Arc::new(Notify::new());
    let tasks = kernel::Tasks::new();
    let asking: Vec<_> = (0..1_000)
        .map(|_| {
            let (cache, loads, gate) = (cache.clone(), loads.clone(), gate.clone());
            tasks.spawn(async move {
                let load = || async {
                    loads.fetch_add(1, Ordering::SeqCst);
                    gate.notified().await;
                    Ok::<_, Down>(Page::new("loaded", 1))
                };
                cache.get_or_load("home", load).await
            })
        })
        .collect();
    let waits = || {
        metrics
            .counter("cache_waits_total", "", &[("cache", "pages")])
            .get()
    };
    testkit::eventually("999 wait", Duration::from_secs(60), || async {
        waits() == 999
    })
    .await;
    gate.notify_one();
    for answer in join_all(asking).await {
        assert_eq!(
            *answer.expect("no panic").expect("loaded"),
            Page::new("loaded", 1)
        );
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn each_loads_for_itself_where_that_is_chosen() {
    let cache = in_memory();
    let loads = AtomicU32::new(0);
    let gate = Notify::new();
    let ask = |loading| {
        let load = || async {
            loads.fetch_add(1, Ordering::SeqCst);
            gate.notified().await;
            Ok::<_, Down>(Page::new("loaded", 1))
        };
        let mut asking = Box::pin(cache.get_or_load_by(loading, "home", load));
        assert!(asking.as_mut().now_or_never().is_none(), "it is not there");
        asking
    };
    let together = [Loading::SingleFlight, Loading::SingleFlight].map(ask);
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    // Chosen at each call, also while others fly together.
    let alone = [Loading::Each, Loading::Each, Loading::Each].map(ask);
    assert_eq!(loads.load(Ordering::SeqCst), 4);
    gate.notify_waiters();
    for answer in join_all(together.into_iter().chain(alone)).await {
        assert_eq!(answer.expect("loaded").text, "loaded");
    }
    assert!(cache.get("home").is_some(), "it is kept");
}

#[tokio::test]
async fn a_load_that_nobody_joins_is_overtaken_too() {
    let cache = in_memory();
    let changes: [fn(&Cache<Page>); 3] = [
        |cache| cache.invalidate("home"),
        |cache| cache.invalidate_below("home", 2),
        Cache::invalidate_all,
    ];
    for change in changes {
        let (send, receive) = oneshot::channel::<()>();
        let load = || async {
            let _ = receive.await;
            Ok::<_, Down>(Page::new("old", 1))
        };
        let mut before = Box::pin(cache.get_or_load_by(Loading::Each, "home", load));
        assert!(before.as_mut().now_or_never().is_none());
        change(&cache);
        send.send(()).expect("the load waits");
        assert_eq!(before.await.expect("loaded").text, "old");
        assert!(cache.get("home").is_none(), "it is not kept");
    }
}

#[tokio::test]
async fn a_loader_that_is_cancelled_or_panics_frees_the_others() {
    let cache = in_memory();
    let stuck = cache.get_or_load("home", std::future::pending::<Result<Page, Down>>);
    let mut stuck = Box::pin(stuck);
    assert!(stuck.as_mut().now_or_never().is_none(), "it leads");
    let follower = cache.get_or_load("home", || async { Ok::<_, Down>(Page::new("second", 1)) });
    let mut follower = Box::pin(follower);
    assert!(follower.as_mut().now_or_never().is_none(), "it waits");
    drop(stuck);
    assert_eq!(follower.await.expect("it loads itself").text, "second");

    let panics = cache.get_or_load::<Down, _, _>("about", || async { panic!("a loader's bug") });
    let panics = std::panic::AssertUnwindSafe(panics).catch_unwind().await;
    assert!(panics.is_err());
    let after = cache
        .get_or_load("about", || async { Ok::<_, Down>(Page::new("fine", 1)) })
        .await;
    assert_eq!(after.expect("loaded").text, "fine");
}

#[tokio::test]
async fn an_error_is_shared_with_who_waited_and_not_kept() {
    let cache = in_memory();
    let (send, receive) = oneshot::channel::<()>();
    let first = cache.get_or_load("home", || async {
        let _ = receive.await;
        Err::<Page, _>(Down)
    });
    let second = cache.get_or_load("home", || async { panic!("it waits for the first") });
    let (first, second, ()) = tokio::join!(first, second, async { send.send(()).expect("waits") });
    assert_eq!((first, second), (Err(Down), Err(Down)));
    let third = cache
        .get_or_load("home", || async { Ok::<_, Down>(Page::new("back", 1)) })
        .await;
    assert_eq!(third.expect("loaded").text, "back");
}

#[tokio::test]
async fn what_was_read_before_an_invalidation_does_not_come_back_after_it() {
    let cache = in_memory();
    let (send, receive) = oneshot::channel::<()>();
    let mut before = Box::pin(cache.get_or_load("home", || async {
        let _ = receive.await;
        Ok::<_, Down>(Page::new("old", 1))
    }));
    assert!(before.as_mut().now_or_never().is_none());
    cache.invalidate("home");
    // Who asks after the invalidation does not wait for the load from before it.
    let after = cache
        .get_or_load("home", || async { Ok::<_, Down>(Page::new("new", 2)) })
        .await;
    assert_eq!(after.expect("loaded").text, "new");
    send.send(()).expect("the old load waits");
    assert_eq!(before.await.expect("loaded").text, "old");
    assert_eq!(cache.get("home").expect("kept").text, "new");

    let (send, receive) = oneshot::channel::<()>();
    let mut before = Box::pin(cache.get_or_load("other", || async {
        let _ = receive.await;
        Ok::<_, Down>(Page::new("old", 1))
    }));
    assert!(before.as_mut().now_or_never().is_none());
    cache.invalidate_all();
    send.send(()).expect("the old load waits");
    before.await.expect("loaded");
    assert!(cache.get("other").is_none() && cache.get("home").is_none());
}

#[tokio::test]
async fn an_older_version_never_replaces_a_newer_one() {
    let cache = in_memory();
    assert!(cache.put("home", Page::new("five", 5)));
    assert!(!cache.put("home", Page::new("four", 4)));
    assert_eq!(cache.get("home").expect("kept").text, "five");
    cache.invalidate_below("home", 5);
    assert!(
        cache.get("home").is_some(),
        "it is as new as the announcement"
    );
    cache.invalidate_below("home", 6);
    assert!(cache.get("home").is_none());
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Known(String),
    Unknown,
}

impl Entry for Answer {
    fn ttl_max(&self) -> Option<Duration> {
        matches!(self, Self::Unknown).then_some(Duration::from_secs(5))
    }
}

#[tokio::test]
async fn an_absence_is_remembered_for_its_own_time() {
    let (clock, ctx) = clock();
    let cache = Cache::<Answer>::new(config(Tier::Memory), &ctx, &Metrics::new());
    cache.put("a", Answer::Known("a".to_owned()));
    cache.put("b", Answer::Unknown);
    clock.advance(Duration::from_millis(4_999));
    assert!(matches!(cache.get("b").as_deref(), Some(Answer::Unknown)));
    clock.advance(Duration::from_millis(1));
    assert!(cache.get("b").is_none());
    assert!(matches!(cache.get("a").as_deref(), Some(Answer::Known(a)) if a == "a"));
    clock.advance(Duration::from_secs(55));
    assert!(cache.get("a").is_none());
}

#[tokio::test]
async fn memory_holds_no_more_than_it_may() {
    let config = CacheConfig {
        capacity: 100,
        ..config(Tier::Memory)
    };
    let cache = Cache::<Page>::new(config, &kernel::Ctx::system(), &Metrics::new());
    for n in 0..1_000 {
        cache.put(&n.to_string(), Page::new("x", 1));
    }
    assert!(cache.len() <= 100, "{}", cache.len());
}
