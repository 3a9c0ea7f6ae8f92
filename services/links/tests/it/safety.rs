//! What happens when the store hangs, the buffer is full, or a replica ends; and what is refused.

use std::time::Duration;

use futures_util::future::join;
use http::Method;
use links::Config;
use serde_json::{Value, json};
use testkit::eventually;

use crate::world::{LAPTOP, Node, World, story};

const SOON: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

async fn counted(node: &Node, path: &str) -> Value {
    node.stats(path).await["total_clicks"].clone()
}

story! {
    async fn u2_a_writer_that_hangs_slows_no_redirect_and_loses_no_click(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        node.get(&path).await;
        assert_eq!(counted(node, &path).await, 1);
        let before = node.metric("links_clicks_committed_total");
        node.db.faults().stall_writer(HOUR);
        for _ in 0..2_000 {
            assert_eq!(node.get(&path).await.status, 302);
        }
        // All were answered while not one of them was written.
        assert_eq!(node.metric("links_clicks_committed_total"), before);
        assert_eq!(node.metric("links_clicks_recorded_total"), before + 2_000);
        node.db.faults().clear();
        eventually("the clicks are written", SOON, async || counted(node, &path).await == 2_001).await;
        assert_eq!(node.metric("links_clicks_dropped_total"), 0);
    }
}

story! {
    async fn u3_a_replica_that_ends_in_good_order_takes_no_click_with_it(world: 2) {
        let path = world.node().path_of(json!({"url": "https://a.example"})).await;
        for _ in 0..500 {
            assert_eq!(world.node().get(&path).await.status, 302);
        }
        world.node().stop().await;
        assert_eq!(counted(&world.nodes[1], &path).await, 500);
    }
}

story! {
    async fn a_commit_that_fails_is_tried_again_and_counts_once(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        node.get(&path).await;
        assert_eq!(counted(node, &path).await, 1);
        node.db.faults().fail_commits(3, Duration::from_secs(60));
        for _ in 0..50 {
            assert_eq!(node.get(&path).await.status, 302);
        }
        eventually("the commit failed", SOON, async || node.metric("links_click_commit_failures_total") >= 1).await;
        eventually("the clicks are written", SOON, async || {
            node.metric("links_clicks_committed_total") == 51
        }).await;
        assert_eq!(counted(node, &path).await, 51);
    }
}

async fn small_buffer(world: &mut World) {
    let config = Config {
        click_buffer: 8,
        ..Config::default()
    };
    world.add(config).await;
}

story! {
    async fn a_full_buffer_is_never_silent(world: 0) {
        let mut world = world;
        small_buffer(&mut world).await;
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        node.get(&path).await;
        assert_eq!(counted(node, &path).await, 1);
        node.db.faults().stall_writer(HOUR);
        node.set("clicks", "lossy");
        for _ in 0..100 {
            assert_eq!(node.get(&path).await.status, 302);
        }
        node.db.faults().clear();
        let taken = node.metric("links_clicks_recorded_total");
        let dropped = node.metric("links_clicks_dropped_total");
        assert!(dropped > 0 && taken + dropped == 101, "{taken} taken, {dropped} dropped");
        eventually("what was taken is counted", SOON, async || {
            counted(node, &path).await == taken
        }).await;
    }
}

story! {
    async fn a_full_buffer_that_gets_room_loses_nothing(world: 0) {
        let mut world = world;
        small_buffer(&mut world).await;
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        let visits = async {
            for _ in 0..60 {
                assert_eq!(node.get(&path).await.status, 302);
            }
        };
        // A store that is quicker than the visits would make room before anybody has to wait.
        node.db.faults().stall_writer(HOUR);
        let room = async {
            eventually("one waits for room", SOON, async || node.metric("links_clicks_held_total") > 0).await;
            node.db.faults().clear();
        };
        join(visits, room).await;
        assert_eq!(counted(node, &path).await, 60);
        assert_eq!(node.metric("links_clicks_dropped_total"), 0);
    }
}

story! {
    async fn a_durable_click_is_in_the_store_before_the_answer(world: 1) {
        let node = world.node();
        node.set("clicks", "durable");
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        for n in 1..=20 {
            assert_eq!(node.get(&path).await.status, 302);
            assert_eq!(node.metric("links_clicks_committed_total"), n);
        }
        // Background work commits too: one failure might not be the click's.
        node.db.faults().fail_commits(100, Duration::from_secs(60));
        let failed = node.get(&path).await;
        node.db.faults().clear();
        assert_eq!((failed.status.as_u16(), failed.header("retry-after")), (503, "1"));
    }
}

story! {
    async fn u9_targets_that_harm_or_go_round_in_a_circle_are_refused(world: 1) {
        let node = world.node();
        node.json(Method::PUT, "/api/links/domains", json!({"host": "go.example"})).await;
        for url in [
            "javascript:alert(1)", "data:text/html,<script>", "https://user:pw@evil.example/",
            "https://a.example/\r\nSet-Cookie: x=1", "http://tw.example/abc", "https://go.example/abc",
            "https://GO.example./x", "not a url", "https://a.example\\@evil.example",
        ] {
            for body in [
                json!({"url": url}),
                json!({"url": "https://a.example", "expired_url": url}),
                json!({"url": "https://a.example", "rules": [{"devices": ["bot"], "url": url}]}),
            ] {
                let reply = node.json(Method::POST, "/api/links", body).await;
                assert_eq!(reply.status, 422, "{url}: {}", reply.text());
                assert_eq!(reply.header("content-type"), "application/problem+json");
            }
        }
        let all = node.get("/api/links").await.json();
        assert_eq!(all["items"], json!([]));
    }
}

story! {
    async fn u12_what_strangers_send_is_inert_wherever_it_is_shown(world: 1) {
        let node = world.node();
        let evil = "<script>alert(1)</script>";
        let path = node.path_of(json!({"url": "https://a.example", "title": evil, "notes": evil})).await;
        let headers = [("referer", "https://<script>alert(1)</script>/x"), ("user-agent", evil), ("accept-language", evil)];
        assert_eq!(node.send(Method::GET, &path, &headers, "").await.status, 302);
        node.send(Method::GET, "/%3Cscript%3Ealert(1)%3C/script%3E", &headers, "").await;
        for page in [format!("{path}+"), "/%3Cscript%3E".to_owned()] {
            let page = node.get(&page).await;
            assert!(page.header("content-type").starts_with("text/html"));
            assert!(!page.text().contains("<script"), "{}", page.text());
            assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        }
        let stats = node.get(&format!("/api/links{path}/stats")).await;
        assert_eq!(stats.header("content-type"), "application/json");
        assert_eq!(stats.json()["languages"][0]["name"], "unknown");
        let export = node.get("/api/links/export?format=bookmarks").await;
        assert!(!export.text().contains("<script"), "{}", export.text());
        assert_eq!(export.header("x-content-type-options"), "nosniff");
    }
}

story! {
    async fn u8_no_query_parameter_leads_elsewhere(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://good.example/p", "forward_query": true})).await;
        for query in ["redir_url=https://evil.example", "url=//evil.example", "@evil.example", "/../..//evil.example",
            "x=%0d%0aLocation:%20https://evil.example", "#@evil.example", "&&&", "%"] {
            let reply = node.send(Method::GET, &format!("{path}?{query}"), &[("user-agent", LAPTOP)], "").await;
            let location = reply.header("location").to_owned();
            assert!(location.starts_with("https://good.example/p?") || location == "https://good.example/p", "{location}");
        }
    }
}
