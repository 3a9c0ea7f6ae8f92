//! A request that the gateway asks of another replica, because the first one broke off, counts once.

use kernel::Principal;
use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::eventually;
use web::{ClientAddr, Meta};

use crate::world::{LAPTOP, Node, Reply, World, client, story};

const SOON: Duration = Duration::from_secs(30);
/// So often the fold may look while a commit is held up.
const LOOKS: u32 = 50;

/// Whether the replica is asked first or after another one.
#[derive(Clone, Copy)]
enum Asked {
    First,
    Again,
}

/// A visit as the gateway hands it on, under this number.
async fn visit(node: &Node, path: &str, hop: u64, asked: Asked) -> Reply {
    let meta = Meta {
        caller: Principal::ANONYMOUS,
        client: ClientAddr(client(1)),
        from_cluster: true,
        hop,
        again: matches!(asked, Asked::Again),
        ..Meta::default()
    };
    node.send_as(meta, Method::GET, path, &[("user-agent", LAPTOP)], "")
        .await
}

/// The clicks that the list tells once everything is folded.
async fn folded_clicks(node: &Node, path: &str) -> u64 {
    node.folded().await;
    let link = node.get(&format!("/api/links{path}")).await.json();
    link["clicks"].as_u64().unwrap()
}

story! {
    async fn what_the_first_replica_committed_is_not_counted_by_the_second(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example"})).await;
        first.set("clicks", "durable");
        assert_eq!(visit(first, &path, 7, Asked::First).await.status, 302);
        assert_eq!(visit(first, &path, 8, Asked::First).await.status, 302);
        assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302);
        assert_eq!(second.stats(&path).await["total_clicks"], 2);
        assert_eq!(folded_clicks(second, &path).await, 2);
        assert_eq!(second.stats(&path).await["total_clicks"], 2);
    }
}

story! {
    async fn what_comes_to_light_after_the_second_replica_has_counted_counts_no_more(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example"})).await;
        // Held in memory until the first replica is asked for its statistics, or for a second.
        first.set("clicks", "lossy");
        assert_eq!(visit(first, &path, 7, Asked::First).await.status, 302);
        assert_eq!(visit(first, &path, 8, Asked::First).await.status, 302);
        assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302);
        assert_eq!(first.stats(&path).await["total_clicks"], 2);
        assert_eq!(folded_clicks(second, &path).await, 2);
        assert_eq!(first.stats(&path).await["total_clicks"], 2);
    }
}

story! {
    async fn what_was_lost_with_the_first_replica_is_counted_by_the_second_once(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example"})).await;
        assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302);
        assert_eq!(visit(first, &path, 7, Asked::Again).await.status, 302, "a third attempt");
        assert_eq!(first.stats(&path).await["total_clicks"], 1);
        assert_eq!(folded_clicks(second, &path).await, 1);
        assert!(second.metric("links_clicks_again_total") == 1);
    }
}

story! {
    async fn a_click_of_a_limited_link_is_granted_once_for_each_request(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example", "max_clicks": 2})).await;
        assert_eq!(visit(first, &path, 7, Asked::First).await.status, 302);
        assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302, "the same click");
        assert_eq!(visit(second, &path, 8, Asked::First).await.status, 302);
        assert_eq!(visit(first, &path, 9, Asked::First).await.status, 410);
        assert_eq!(visit(second, &path, 9, Asked::Again).await.status, 410, "none was granted");
        assert_eq!(visit(second, &path, 8, Asked::Again).await.status, 302, "granted before");
        eventually("two clicks are counted", SOON, async || {
            first.stats(&path).await["total_clicks"] == 2
        }).await;
    }
}

const REMEMBERED: &str = "SELECT count(*) FROM click_folded";
const CLAIMED: &str = "SELECT count(*) FROM click_repeats";

story! {
    async fn what_was_folded_before_the_second_replica_is_asked_is_not_counted_again(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example"})).await;
        first.set("clicks", "durable");
        assert_eq!(visit(first, &path, 7, Asked::First).await.status, 302);
        assert_eq!(folded_clicks(first, &path).await, 1);
        assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302);
        assert_eq!(visit(second, &path, 8, Asked::Again).await.status, 302);
        assert_eq!(second.stats(&path).await["total_clicks"], 2);
        assert_eq!(folded_clicks(second, &path).await, 2);
    }
}

story! {
    async fn numbers_of_folded_clicks_are_remembered_for_a_minute_and_only_where_there_are_any(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        node.set("clicks", "durable");
        node.get(&path).await;
        node.folded().await;
        assert_eq!(node.number(REMEMBERED).await, 0, "what has no number leaves none");
        for hop in 1..=3 {
            visit(node, &path, hop, Asked::First).await;
            node.folded().await;
            assert_eq!(node.number(REMEMBERED).await, 1);
            world.clock.advance(Duration::from_secs(61));
        }
        assert_eq!(node.stats(&path).await["total_clicks"], 4);
    }
}

story! {
    async fn a_visit_that_is_asked_again_waits_for_the_store_only_if_clicks_are_durable(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example"})).await;
        for (asked, knob) in (1..).zip(["grouped", "lossy"]) {
            second.set("clicks", knob);
            second.db.faults().stall_writer(Duration::from_secs(30));
            assert_eq!(visit(second, &path, asked, Asked::Again).await.status, 302);
            assert_eq!(visit(second, "/nothere", 100 + asked, Asked::Again).await.status, 404);
            let before = 2 * (asked - 1);
            assert_eq!(first.number(CLAIMED).await, before as i64, "answered before it is written");
            second.db.faults().clear();
            eventually("both are written", SOON, async || {
                first.number(CLAIMED).await == before as i64 + 2
            }).await;
        }
        second.set("clicks", "durable");
        assert_eq!(visit(second, &path, 3, Asked::Again).await.status, 302);
        assert_eq!(first.number(CLAIMED).await, 5, "written before it is answered");
        assert_eq!(first.stats(&path).await["total_clicks"], 3);
    }
}

story! {
    async fn a_repeat_that_cannot_be_written_is_tried_again_and_counts_once(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example"})).await;
        first.set("clicks", "durable");
        assert_eq!(visit(first, &path, 7, Asked::First).await.status, 302);
        let before = second.metric("links_click_commit_failures_total");
        second.db.faults().fail_commits(200, Duration::from_secs(60));
        assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302);
        assert_eq!(visit(second, &path, 8, Asked::Again).await.status, 302);
        eventually("it could not be written", SOON, async || {
            second.metric("links_click_commit_failures_total") > before
        }).await;
        second.db.faults().clear();
        eventually("it is written", SOON, async || first.number(CLAIMED).await == 1).await;
        assert_eq!(second.stats(&path).await["total_clicks"], 2);
        assert_eq!(folded_clicks(second, &path).await, 2);
        second.set("clicks", "durable");
        second.db.faults().fail_commits(200, Duration::from_secs(60));
        assert_eq!(visit(second, &path, 9, Asked::Again).await.status, 503, "not answered uncounted");
    }
}

story! {
    async fn a_visit_that_finds_no_link_counts_once_too(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let visits = async |node: &Node| node.get("/api/links/orphans").await.json()["unknown_code"].clone();
        assert_eq!(visit(first, "/nothere", 7, Asked::First).await.status, 404);
        assert_eq!(visits(first).await, 1);
        assert_eq!(visit(second, "/nothere", 7, Asked::Again).await.status, 404);
        assert_eq!(visit(second, "/nothere", 8, Asked::Again).await.status, 404);
        assert_eq!(visits(second).await, 2);
    }
}

story! {
    async fn a_replica_that_ends_in_good_order_settles_what_it_was_asked_again(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let path = first.path_of(json!({"url": "https://a.example"})).await;
        second.db.faults().fail_commits(100, Duration::from_secs(1));
        assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302);
        second.stop().await;
        assert_eq!(first.stats(&path).await["total_clicks"], 1);
    }
}

/// On SQLite nobody writes while another transaction has not ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_that_commits_late_is_not_overtaken_by_a_fold() {
    let Some(world) = World::postgres(2).await else {
        return;
    };
    let (first, second) = (&world.nodes[0], &world.nodes[1]);
    let path = first.path_of(json!({"url": "https://a.example"})).await;
    first.set("clicks", "durable");
    // The day's salt is fetched with the first one.
    visit(second, &path, 1, Asked::Again).await;
    assert_eq!(second.stats(&path).await["total_clicks"], 1);
    second.db.faults().stall_writer(Duration::from_secs(60));
    assert_eq!(visit(second, &path, 7, Asked::Again).await.status, 302);
    let written = "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock'
        AND relation = CAST('click_batches' AS regclass)";
    eventually("it is written and not committed", SOON, async || {
        first.number(written).await > 0
    })
    .await;
    // Comes to light now, and could be folded: many looks of the fold pass before the other commits.
    assert_eq!(visit(first, &path, 7, Asked::First).await.status, 302);
    for _ in 0..LOOKS {
        world.clock.pass(Duration::from_secs(1));
        first.number(written).await;
    }
    second.db.faults().clear();
    eventually("it is committed", SOON, async || {
        first.number(CLAIMED).await == 2
    })
    .await;
    assert_eq!(folded_clicks(first, &path).await, 2);
    assert_eq!(second.stats(&path).await["total_clicks"], 2);
}
