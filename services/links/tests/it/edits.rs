//! Edits: seen everywhere within a second, remembered, taken back; a key takes effect once.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cache::{Redis, RedisOptions, Tier};
use futures_util::future::join_all;
use http::Method;
use kernel::Tasks;
use links::Config;
use serde_json::json;
use testkit::eventually;

use crate::world::{Node, World, story};

/// What links promises: so long after an edit is answered no replica shows the old state.
const STALE_MAX: Duration = Duration::from_secs(1);
/// How long a test waits for what must come; what is promised is asserted apart.
const SOON: Duration = Duration::from_secs(30);

/// What a path shows: status and `Location`.
type Shown<'a> = (&'a str, u16, &'a str);

/// How long after `answered` a replica was last asked and showed something else.
async fn staleness(
    node: &Node,
    (path, status, location): Shown<'_>,
    answered: Instant,
) -> Duration {
    let stale = Cell::new(Duration::ZERO);
    eventually("a replica shows the new state", SOON, async || {
        let asked = answered.elapsed();
        let reply = node.get(path).await;
        let new = (reply.status.as_u16(), reply.header("location")) == (status, location);
        if !new {
            stale.set(asked);
        }
        new
    })
    .await;
    stale.get()
}

/// Every replica shows the new state, within the time that is promised for an edit that was just
/// answered. A busy machine is allowed for by what it kept a timer of this process waiting meanwhile.
async fn everywhere(world: &World, answered: Instant, shown: &[Shown<'_>]) {
    let asked = world.nodes.iter().flat_map(|node| {
        let each = shown.iter();
        each.map(move |shown| staleness(node, *shown, answered))
    });
    let (stale, late) = lateness(join_all(asked)).await;
    let stale = stale.into_iter().max().unwrap_or_default();
    assert!(
        stale <= STALE_MAX + late,
        "{stale:?} after the edit a replica showed the old state; the machine was {late:?} late"
    );
}

/// What `work` answers, and by how much a timer was late meanwhile, in all.
async fn lateness<T>(work: impl Future<Output = T>) -> (T, Duration) {
    const TICK: Duration = Duration::from_millis(10);
    let late = Cell::new(Duration::ZERO);
    let ticks = async {
        loop {
            let began = Instant::now();
            tokio::time::sleep(TICK).await;
            // A timer that is less than a tick late is on time.
            let over = began.elapsed().saturating_sub(2 * TICK);
            late.set(late.get() + over);
        }
    };
    tokio::select! {
        done = work => (done, late.get()),
        () = ticks => unreachable!("it never ends"),
    }
}

async fn edits_reach_every_node(world: &World) {
    let (first, second, third) = (&world.nodes[0], &world.nodes[1], &world.nodes[2]);
    let (old, new) = ("https://old.example/", "https://new.example/");
    let path = first.path_of(json!({ "url": old })).await;
    everywhere(world, Instant::now(), &[(&path, 302, old)]).await;

    second.patch(&path, json!({ "url": new })).await;
    let answered = Instant::now();
    let own = second.get(&path).await;
    assert_eq!(own.header("location"), new, "the editing node at once");
    everywhere(world, answered, &[(&path, 302, new)]).await;

    third.patch(&path, json!({"enabled": false})).await;
    everywhere(world, Instant::now(), &[(&path, 404, "")]).await;

    let moved = json!({"enabled": true, "code": "moved"});
    third.patch(&path, moved).await;
    let shown = [(path.as_str(), 404, ""), ("/moved", 302, new)];
    everywhere(world, Instant::now(), &shown).await;

    first
        .send(Method::DELETE, "/api/links/moved", &[], "")
        .await;
    everywhere(world, Instant::now(), &[("/moved", 404, "")]).await;

    let another = json!({"url": "https://third.example/", "code": "moved"});
    second.make(another).await;
    let shown = [("/moved", 302, "https://third.example/")];
    everywhere(world, Instant::now(), &shown).await;
}

story! {
    async fn u4_an_edit_is_seen_by_every_node(world: 3) {
        edits_reach_every_node(&world).await;
    }
}

story! {
    async fn u4_an_edit_is_seen_by_every_node_with_write_through(world: 3) {
        world.nodes.iter().for_each(|node| node.set("cache", "write_through"));
        edits_reach_every_node(&world).await;
    }
}

story! {
    async fn u4_an_edit_is_seen_by_every_node_with_redis_down(world: 0) {
        let mut world = world;
        let tasks = Tasks::new();
        for _ in 0..3 {
            let metrics = telemetry::Metrics::new();
            let nobody = "redis://127.0.0.1:1/0";
            let redis = Redis::open(nobody, RedisOptions::default(), &metrics, &tasks).unwrap();
            let random = std::sync::Arc::new(kernel::SystemRandom);
            world.add_with(Config::default(), random, Tier::Redis(redis)).await;
        }
        edits_reach_every_node(&world).await;
    }
}

story! {
    async fn without_a_cache_an_edit_is_seen_at_once(world: 2) {
        world.nodes.iter().for_each(|node| node.set("cache", "none"));
        let path = world.node().path_of(json!({"url": "https://old.example/"})).await;
        assert_eq!(world.nodes[1].get(&path).await.header("location"), "https://old.example/");
        world.node().patch(&path, json!({"url": "https://new.example/"})).await;
        assert_eq!(world.nodes[1].get(&path).await.header("location"), "https://new.example/");
        assert_eq!(world.nodes[1].stats(&path).await["total_clicks"], 2);
    }
}

story! {
    async fn every_version_is_kept_and_can_be_the_newest_again(world: 1) {
        let node = world.node();
        let first = json!({"url": "https://one.example/", "title": "One", "tags": ["a"]});
        let path = node.path_of(first).await;
        node.patch(&path, json!({"url": "https://two.example/", "tags": ["b"]})).await;
        node.patch(&path, json!({"title": null})).await;
        let same = node.patch(&path, json!({"title": null})).await;
        assert_eq!(same["version"], 3, "what changes nothing makes no version");
        let history = node.get(&format!("/api/links{path}/history")).await.json();
        let versions = history["versions"].as_array().unwrap();
        let changed: Vec<String> = versions.iter().map(|v| v["changed"].to_string()).collect();
        assert_eq!(changed, ["[\"title\"]", "[\"url\",\"tags\"]", "[]"]);
        let back = format!("/api/links{path}/rollback");
        let back = node.json(Method::POST, &back, json!({"version": 1})).await.json();
        assert_eq!((&back["version"], &back["url"], &back["title"]),
            (&json!(4), &json!("https://one.example/"), &json!("One")));
        assert_eq!(node.get(&path).await.header("location"), "https://one.example/");
        let tagged = node.get("/api/links?tag=a").await.json();
        assert_eq!(tagged["items"].as_array().unwrap().len(), 1);
        let unknown = format!("/api/links{path}/rollback");
        let unknown = node.json(Method::POST, &unknown, json!({"version": 77})).await;
        assert_eq!(unknown.status, 404);
    }
}
