//! Clicks, counted exactly: while they wait, while they are folded, and afterwards.

use std::time::Duration;

use http::Method;
use links::Config;
use serde_json::{Value, json};
use storage::Tx;
use testkit::eventually;

use crate::world::{LAPTOP, PHONE, client, story};

const SOON: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn count(stats: &Value, kind: &str, name: &str) -> u64 {
    let all = stats[kind].as_array().unwrap();
    all.iter()
        .find(|c| c["name"] == name)
        .map_or(0, |c| c["clicks"].as_u64().unwrap())
}

story! {
    async fn clicks_are_told_apart_by_hour_source_device_language_and_visitor(world: 2) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        let visit = async |from: u8, agent: &str, referrer: &str, language: &str| {
            let headers = [("user-agent", agent), ("referer", referrer), ("accept-language", language)];
            let reply = world.nodes[usize::from(from % 2)]
                .send_from(client(from), Method::GET, &path, &headers, "")
                .await;
            assert_eq!(reply.status, 302);
        };
        visit(1, LAPTOP, "https://news.example/item?id=1", "de-AT,de;q=0.9").await;
        visit(1, LAPTOP, "https://news.example/item?id=2", "de").await;
        visit(2, PHONE, "", "en-US").await;
        // Another replica's clicks are seen when it has committed its group.
        let seen = async |n: u64| {
            eventually("clicks are seen", SOON, async || node.stats(&path).await["total_clicks"] == n).await;
        };
        seen(3).await;
        node.folded().await;
        world.clock.advance(Duration::from_secs(3_600));
        visit(3, "hey/0.0.1", "http://Other.example:8080/", "").await;
        seen(4).await;
        for turn in 0..2 {
            let stats = node.stats(&path).await;
            assert_eq!(stats["clicks"], 4, "turn {turn}");
            assert_eq!((&stats["visitors"], &stats["visitors_exact"]), (&json!(3), &json!(true)));
            assert_eq!((count(&stats, "referrers", "news.example"), count(&stats, "referrers", "direct")), (2, 1));
            assert_eq!(count(&stats, "referrers", "other.example"), 1);
            assert_eq!((count(&stats, "devices", "desktop"), count(&stats, "devices", "ios"), count(&stats, "devices", "other")), (2, 1, 1));
            assert_eq!((count(&stats, "languages", "de"), count(&stats, "languages", "en"), count(&stats, "languages", "unknown")), (2, 1, 1));
            // The first time partly from a group that waits, the second time all folded.
            node.folded().await;
        }
        let hours = "from=2026-11-23T12:00:00Z&until=2026-11-23T14:00:00Z&by=hour";
        let hours = node.get(&format!("/api/links{path}/stats?{hours}")).await.json();
        assert_eq!(hours["series"], json!([
            {"at": "2026-11-23T12:00:00.000Z", "clicks": 3},
            {"at": "2026-11-23T13:00:00.000Z", "clicks": 1},
        ]));
        let first = "from=2026-11-23T12:00:00Z&until=2026-11-23T13:00:00Z&by=hour";
        let first = node.get(&format!("/api/links{path}/stats?{first}")).await.json();
        assert_eq!((&first["clicks"], &first["total_clicks"]), (&json!(3), &json!(4)));
    }
}

story! {
    async fn a_stats_read_is_exact_to_the_click_before_during_and_after_the_fold(world: 3) {
        let path = world.node().path_of(json!({"url": "https://a.example"})).await;
        for n in 1..=300_u64 {
            let node = &world.nodes[usize::try_from(n % 3).unwrap()];
            assert_eq!(node.get(&path).await.status, 302);
            if n % 50 == 0 {
                // Each replica knows its own clicks at once, those of the others a moment later.
                eventually("all clicks are seen", SOON, async || node.stats(&path).await["total_clicks"] == n).await;
            }
        }
        world.node().folded().await;
        assert_eq!(world.nodes[1].stats(&path).await["total_clicks"], 300);
        let link = world.nodes[2].get(&format!("/api/links{path}")).await.json();
        assert_eq!((&link["clicks"], &link["last_clicked_at"]), (&json!(300), &json!("2026-11-23T12:00:00.000Z")));
    }
}

story! {
    async fn a_fold_that_is_cut_off_counts_no_click_twice(world: 2) {
        let node = world.node();
        let rows: String = (0..1_200).map(|n| format!("https://a.example/{n},l{n}\n")).collect();
        let csv = [("content-type", "text/csv")];
        let report = node.send(Method::POST, "/api/links/import", &csv, format!("url,code\n{rows}")).await;
        assert_eq!(report.json()["created"], 1_200, "{}", report.text());
        for turn in 0..2 {
            for n in 0..1_200 {
                assert_eq!(world.nodes[turn].get(&format!("/l{n}")).await.status, 302);
            }
            // Commits of clicks and of the fold fail in between, on both replicas.
            world.nodes[0].db.faults().fail_commits(2, Duration::from_secs(60));
            world.nodes[1].db.faults().fail_commits(2, Duration::from_secs(60));
        }
        let seen = async || node.get("/api/links/l7/stats").await.json()["total_clicks"].clone();
        eventually("all clicks are seen", SOON, async || seen().await == 2).await;
        // The lease of a replica whose fold failed ends by the clock.
        eventually("everything is folded", SOON, async || {
            assert_eq!(seen().await, 2, "exact at every moment");
            world.clock.advance(Duration::from_secs(1));
            node.number("SELECT count(*) FROM click_batches").await == 0
        }).await;
        assert_eq!(node.number("SELECT CAST(sum(clicks) AS BIGINT) FROM link_counts").await, 2_400);
        assert_eq!(node.number("SELECT count(*) FROM link_counts WHERE clicks = 2").await, 1_200);
        assert_eq!(node.number("SELECT count(*) FROM link_days WHERE num > 0").await, 1_200);
    }
}

story! {
    async fn u13_a_hot_link_is_one_row_however_many_click(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        // While the store hangs, so that they come together however slow this machine is.
        node.db.faults().stall_writer(HOUR);
        for _ in 0..5_000 {
            node.get(&path).await;
        }
        node.db.faults().clear();
        node.folded().await;
        assert_eq!(node.number("SELECT count(*) FROM link_days").await, 1);
        assert_eq!(node.stats(&path).await["total_clicks"], 5_000);
        // Groups and folds, not clicks, are what the store sees.
        assert!(node.metric("links_click_commit_seconds_count") < 50);
        assert!(node.metric("links_fold_seconds_count") < 50);
    }
}

story! {
    async fn clicks_of_a_removed_link_go_with_it(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        node.get(&path).await;
        node.folded().await;
        node.get(&path).await;
        node.send(Method::DELETE, &format!("/api/links{path}"), &[], "").await;
        assert_eq!(node.get(&format!("/api/links{path}/stats")).await.status, 404);
        node.folded().await;
        assert_eq!(node.number("SELECT count(*) FROM link_days").await, 0);
        assert_eq!(node.number("SELECT count(*) FROM link_counts WHERE num > 0").await, 0);
    }
}

story! {
    async fn addresses_are_never_written_down_and_salts_are_destroyed(world: 1) {
        let mut world = world;
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example", "password": "p"})).await;
        let open = node.path_of(json!({"url": "https://a.example"})).await;
        node.send_from("198.51.100.77".parse().unwrap(), Method::GET, &open, &[], "").await;
        node.send_from("198.51.100.77".parse().unwrap(), Method::POST, &path, &[], "password=x").await;
        assert_eq!(node.stats(&open).await["visitors"], 1);
        let dump = async |tx: &mut Tx<'_>| {
            let mut dump = Vec::new();
            for table in ["click_batches", "link_days", "password_guesses"] {
                let rows = tx.query_dyn(&format!("SELECT * FROM {table}"), &[]).await?;
                dump.extend(format!("{rows:?}").into_bytes());
            }
            Ok::<_, storage::Error>(String::from_utf8_lossy(&dump).into_owned())
        };
        let before = node.db.read(dump).await.unwrap();
        node.folded().await;
        let after = node.db.read(dump).await.unwrap();
        for dump in [before, after] {
            // As text, and as the four bytes of the address.
            assert!(!dump.contains("198.51") && !dump.contains("198, 51, 100, 77"), "{dump}");
        }
        assert_eq!(node.number("SELECT count(*) FROM visitor_salts").await, 1);
        world.clock.advance(Duration::from_secs(2 * 86_400));
        // A replica sweeps when it starts, and every ten minutes.
        let node = world.add(Config::default()).await;
        eventually("the salt is destroyed", SOON, async || {
            node.number("SELECT count(*) FROM visitor_salts").await == 0
        }).await;
    }
}
