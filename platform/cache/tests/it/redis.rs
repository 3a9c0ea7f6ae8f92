//! What holds with Redis behind the memory, and when it hangs, dies and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cache::{Cache, Redis, RedisOptions, Tier};
use kernel::{Ctx, Tasks};
use telemetry::Metrics;
use testkit::eventually;
use tokio::sync::oneshot;

use crate::{Down, Page, config};

const LONG: Duration = Duration::from_secs(60);

/// A process with a cache on a shared Redis.
struct Replica {
    cache: Cache<Page>,
    redis: Redis,
    metrics: Metrics,
    loads: Arc<AtomicU32>,
    tasks: Tasks,
}

impl Replica {
    async fn start(server: &testkit::Redis, read_timeout: Duration) -> Self {
        let (metrics, tasks) = (Metrics::new(), Tasks::new());
        let options = RedisOptions {
            read_timeout,
            ..RedisOptions::default()
        };
        let redis = Redis::open(&server.url(), options, &metrics, &tasks).expect("a fine URL");
        let cache = Cache::new(config(Tier::Redis(redis.clone())), &Ctx::system(), &metrics);
        let replica = Self {
            cache,
            redis,
            metrics,
            loads: Arc::default(),
            tasks,
        };
        replica.until_up().await;
        replica
    }

    /// A replica patient enough for a busy machine.
    async fn patient(server: &testkit::Redis) -> Self {
        Self::start(server, Duration::from_secs(5)).await
    }

    async fn until_up(&self) {
        eventually("redis is in use", LONG, || async { self.redis.is_up() }).await;
    }

    async fn ask(&self, key: &str, source: Page) -> Page {
        let load = || async {
            self.loads.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Down>(source)
        };
        (*self
            .cache
            .get_or_load(key, load)
            .await
            .expect("never an error"))
        .clone()
    }

    fn loads(&self) -> u32 {
        self.loads.load(Ordering::SeqCst)
    }

    fn count(&self, name: &'static str) -> u64 {
        self.metrics.counter(name, "", &[("cache", "pages")]).get()
    }

    /// What Redis itself holds for `key`, asked through a replica with an empty memory.
    async fn seen_by_another(&self, server: &testkit::Redis, key: &str, source: Page) -> Page {
        let other = Self::patient(server).await;
        let page = other.ask(key, source).await;
        other.tasks.shutdown().await;
        page
    }
}

#[tokio::test]
async fn what_one_replica_loads_the_others_find() {
    let Some(server) = testkit::Redis::start().await else {
        return;
    };
    let replica = Replica::patient(&server).await;
    assert_eq!(
        replica.ask("home", Page::new("first", 1)).await.text,
        "first"
    );
    eventually("another finds it", LONG, || async {
        replica
            .seen_by_another(&server, "home", Page::new("loaded again", 0))
            .await
            .text
            == "first"
    })
    .await;
}

#[tokio::test]
async fn redis_refuses_what_is_older_than_what_it_knows() {
    let Some(server) = testkit::Redis::start().await else {
        return;
    };
    let (a, b) = (
        Replica::patient(&server).await,
        Replica::patient(&server).await,
    );
    a.cache.put("home", Page::new("six", 6));
    eventually("redis has it", LONG, || async {
        a.seen_by_another(&server, "home", Page::new("from the source", 1))
            .await
            .version
            == 6
    })
    .await;
    b.cache.put("home", Page::new("five", 5));
    eventually("it is refused", LONG, || async {
        b.count("cache_redis_refused_total") == 1
    })
    .await;
    assert_eq!(
        a.seen_by_another(&server, "home", Page::new("?", 1))
            .await
            .text,
        "six"
    );
}

#[tokio::test]
async fn a_load_from_before_an_invalidation_elsewhere_is_not_filled_in() {
    let Some(server) = testkit::Redis::start().await else {
        return;
    };
    let (a, b) = (
        Replica::patient(&server).await,
        Replica::patient(&server).await,
    );
    let (send, receive) = oneshot::channel::<()>();
    let (reached, reading) = oneshot::channel::<()>();
    let slow = a.cache.get_or_load("home", || async {
        reached.send(()).expect("the test waits");
        let _ = receive.await;
        Ok::<_, Down>(Page::new("old", 0))
    });
    let change = async {
        reading.await.expect("the load began");
        b.cache.put("home", Page::new("new", 0));
        // The change is through when a third replica reads it.
        eventually("redis has the change", LONG, || async {
            b.seen_by_another(&server, "home", Page::new("new", 0))
                .await
                .text
                == "new"
                && b.count("cache_redis_errors_total") == 0
        })
        .await;
        send.send(()).expect("the load waits");
    };
    let (old, ()) = tokio::join!(slow, change);
    assert_eq!(old.expect("loaded").text, "old");
    eventually("it is refused", LONG, || async {
        a.count("cache_redis_refused_total") == 1
    })
    .await;
    assert_eq!(
        a.seen_by_another(&server, "home", Page::new("?", 0))
            .await
            .text,
        "new"
    );
}

#[tokio::test]
async fn a_redis_that_hangs_costs_a_few_short_waits_and_then_nothing() {
    let Some(server) = testkit::Redis::start().await else {
        return;
    };
    // Far longer than a look-up takes on a busy machine.
    let replica = Replica::start(&server, Duration::from_millis(250)).await;
    replica.ask("warm", Page::new("warm", 1)).await;
    replica.until_up().await;
    let errors_before = replica.count("cache_redis_errors_total");
    server.pause();
    let began = Instant::now();
    for n in 0..1_000 {
        let page = replica
            .ask(&format!("key {n}"), Page::new("from the source", 1))
            .await;
        assert_eq!(page.text, "from the source");
    }
    let took = began.elapsed();
    assert!(!replica.redis.is_up(), "it was given up");
    let failed = replica.count("cache_redis_errors_total") - errors_before;
    // Three look-ups time out; a background batch may fail as well.
    assert!((1..=5).contains(&failed), "{failed} calls waited");
    assert!(
        replica.count("cache_redis_skipped_total") >= 990,
        "the rest did not"
    );
    println!("1,000 look-ups with a hung redis: {took:?}, {failed} of them waited");

    replica.cache.invalidate("key 1");
    server.resume();
    replica.until_up().await;
    replica.tasks.shutdown().await;
}

#[tokio::test]
async fn of_many_who_ask_a_redis_that_hangs_few_wait_and_each_once() {
    let Some(server) = testkit::Redis::start().await else {
        return;
    };
    let replica = Replica::start(&server, Duration::from_millis(5)).await;
    let errors_before = replica.count("cache_redis_errors_total");
    server.pause();
    let asked = (0..1_000).map(|n| {
        let (replica, key) = (&replica, format!("key {n}"));
        async move { replica.ask(&key, Page::new("from the source", 1)).await }
    });
    let answers = futures_util::future::join_all(asked);
    let pages = tokio::time::timeout(LONG, answers).await.expect("answers");
    assert!(pages.iter().all(|page| page.text == "from the source"));
    assert_eq!(replica.loads(), 1_000, "each from the source, once");
    let waited = replica.count("cache_redis_errors_total") - errors_before;
    let reads_max = RedisOptions::default().reads_max as u64;
    // A background batch may fail as well.
    assert!((1..=reads_max + 2).contains(&waited), "{waited} waited");
    let skipped = replica.count("cache_redis_skipped_total");
    assert!(skipped >= 1_000 - reads_max, "only {skipped} did not wait");
    assert!(!replica.redis.is_up(), "it was given up");
    server.resume();
    replica.tasks.shutdown().await;
}

#[tokio::test]
async fn a_redis_that_comes_back_from_its_disk_shows_nothing_from_before_an_edit() {
    let Some(mut server) = testkit::Redis::start().await else {
        return;
    };
    let replica = Replica::patient(&server).await;
    let keys = ["home", "other"];
    for key in keys {
        replica.cache.put(key, Page::new("old", 1));
        eventually("redis has it", LONG, || async {
            let page = Page::new("?", 1);
            replica.seen_by_another(&server, key, page).await.text == "old"
        })
        .await;
    }
    server.save().await;
    let new = || Page::new("new", 2);
    for key in keys {
        replica.cache.invalidate_below(key, 2);
        eventually("redis knows of the edit", LONG, || async {
            let seen = replica.seen_by_another(&server, key, new()).await;
            seen.text == "new"
        })
        .await;
    }
    server.restart_from_disk().await;
    for n in 0..3 {
        let key = format!("wakes {n}");
        replica.ask(&key, Page::new("x", 1)).await;
    }
    replica.until_up().await;
    let seen = replica.ask("other", new()).await;
    assert_eq!(seen.text, "new", "a process that was there");
    let seen = replica.seen_by_another(&server, "home", new()).await;
    assert_eq!(seen.text, "new", "one that starts");
}

#[tokio::test]
async fn a_redis_that_dies_is_an_error_to_nobody_and_is_used_again_when_back() {
    let Some(mut server) = testkit::Redis::start().await else {
        return;
    };
    let replica = Replica::patient(&server).await;
    replica.ask("home", Page::new("one", 1)).await;
    server.kill();
    for n in 0..100 {
        replica.ask(&format!("key {n}"), Page::new("x", 1)).await;
    }
    eventually("it is given up", LONG, || async { !replica.redis.is_up() }).await;
    assert_eq!(replica.loads(), 101);
    server.restart().await;
    replica.until_up().await;
    replica.cache.put("home", Page::new("two", 2));
    eventually("redis has it", LONG, || async {
        replica
            .seen_by_another(&server, "home", Page::new("?", 1))
            .await
            .text
            == "two"
    })
    .await;
}

#[tokio::test]
async fn a_change_made_while_redis_hung_is_known_to_it_before_anyone_reads() {
    let Some(server) = testkit::Redis::start().await else {
        return;
    };
    let replica = Replica::start(&server, Duration::from_millis(50)).await;
    replica.cache.put("home", Page::new("old", 1));
    eventually("redis has it", LONG, || async {
        replica
            .seen_by_another(&server, "home", Page::new("?", 1))
            .await
            .text
            == "old"
    })
    .await;
    server.pause();
    replica.cache.invalidate_below("home", 2);
    // Redis still holds the old value, but a key with a change that waits is not read from it.
    assert_eq!(replica.ask("home", Page::new("new", 2)).await.text, "new");
    eventually("it is given up", LONG, || async { !replica.redis.is_up() }).await;
    server.resume();
    replica.until_up().await;
    let seen = replica
        .seen_by_another(&server, "home", Page::new("new", 2))
        .await;
    assert_eq!(seen.text, "new");
}

#[tokio::test]
async fn forgetting_everything_reaches_the_other_replicas_through_redis() {
    let Some(server) = testkit::Redis::start().await else {
        return;
    };
    let replica = Replica::patient(&server).await;
    replica.cache.put("home", Page::new("old", 1));
    eventually("redis has it", LONG, || async {
        replica
            .seen_by_another(&server, "home", Page::new("?", 1))
            .await
            .text
            == "old"
    })
    .await;
    replica.cache.invalidate_all();
    eventually("nobody finds it", LONG, || async {
        replica
            .seen_by_another(&server, "home", Page::new("new", 1))
            .await
            .text
            == "new"
    })
    .await;
}
