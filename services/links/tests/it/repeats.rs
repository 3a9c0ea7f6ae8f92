//! A request that the gateway asks of another replica, because the first one broke off, counts once.

use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::eventually;
use web::{Caller, ClientAddr, Meta};

use crate::world::{LAPTOP, Node, Reply, client, story};

const SOON: Duration = Duration::from_secs(30);

/// Whether the replica is asked first or after another one.
#[derive(Clone, Copy)]
enum Asked {
    First,
    Again,
}

/// A visit as the gateway hands it on, under this number.
async fn visit(node: &Node, path: &str, hop: u64, asked: Asked) -> Reply {
    let meta = Meta {
        caller: Caller::Anonymous,
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
