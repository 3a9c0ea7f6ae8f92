//! Edits: seen everywhere within a second, remembered, taken back; a key takes effect once.

use std::time::Duration;

use cache::{Redis, RedisOptions, Tier};
use http::Method;
use kernel::Tasks;
use links::Config;
use serde_json::json;
use testkit::eventually;

use crate::world::{World, story};

const SOON: Duration = Duration::from_secs(3);

async fn everywhere(world: &World, path: &str, status: u16, location: &str) {
    for node in &world.nodes {
        eventually("a replica shows the new state", SOON, async || {
            let reply = node.get(path).await;
            (reply.status.as_u16(), reply.header("location")) == (status, location)
        })
        .await;
    }
}

async fn edits_reach_every_node(world: &World) {
    let path = world
        .node()
        .path_of(json!({"url": "https://old.example/"}))
        .await;
    everywhere(world, &path, 302, "https://old.example/").await;
    world.nodes[1]
        .patch(&path, json!({"url": "https://new.example/"}))
        .await;
    let own = world.nodes[1].get(&path).await;
    assert_eq!(
        own.header("location"),
        "https://new.example/",
        "the editing node at once"
    );
    everywhere(world, &path, 302, "https://new.example/").await;
    world.nodes[2].patch(&path, json!({"enabled": false})).await;
    everywhere(world, &path, 404, "").await;
    world.nodes[2]
        .patch(&path, json!({"enabled": true, "code": "moved"}))
        .await;
    everywhere(world, &path, 404, "").await;
    everywhere(world, "/moved", 302, "https://new.example/").await;
    world
        .node()
        .send(Method::DELETE, "/api/links/moved", &[], "")
        .await;
    everywhere(world, "/moved", 404, "").await;
    world.nodes[1]
        .make(json!({"url": "https://third.example/", "code": "moved"}))
        .await;
    everywhere(world, "/moved", 302, "https://third.example/").await;
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
