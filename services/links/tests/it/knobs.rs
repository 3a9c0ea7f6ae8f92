//! Design choices that are turned while the service runs.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;
use testkit::eventually;

use crate::world::{Node, World, story};

/// How many visitors ask for a link at the same moment.
const VISITORS: usize = 16;
/// How often visitors come before it is said that they never load at the same time.
const ROUNDS: usize = 100;
const SOON: Duration = Duration::from_secs(30);

/// How often the store was asked for one link, which is in no memory, by visitors who all come
/// before the first of them is answered.
async fn loads_of_one(node: &Node) -> u64 {
    const LOADS: &str = r#"cache_loads_total{cache="links.routes"}"#;
    const CHANGES: &str = r#"cache_invalidations_total{cache="links.routes"}"#;
    let before = node.metric(CHANGES);
    let path = node.path_of(json!({"url": "https://a.example"})).await;
    // Told at once and by the event: a load that is overtaken by either is made again.
    let heard = async || node.metric(CHANGES) >= before + 2;
    eventually("the new link is heard of", SOON, heard).await;
    let before = node.metric(LOADS);
    for visit in join_all((0..VISITORS).map(|_| node.get(&path))).await {
        assert_eq!(visit.status, 302);
    }
    node.metric(LOADS) - before
}

story! {
    async fn who_misses_waits_for_one_load_or_loads_as_the_knob_says(world: 1) {
        let node = world.node();
        for _ in 0..ROUNDS / 10 {
            assert_eq!(loads_of_one(node).await, 1, "whoever comes, one asks");
        }
        node.set("loading", "each");
        let mut most = 0;
        for _ in 0..ROUNDS {
            // A load may end before the next visitor comes, so that one round says little.
            most = most.max(loads_of_one(node).await);
            if most > 1 {
                break;
            }
        }
        assert!(most > 1, "each asks for itself");
        node.set("loading", "single_flight");
        assert_eq!(loads_of_one(node).await, 1);
    }
}

/// How many links are made at the same moment.
const MAKERS: u64 = 32;

/// How many commits it takes when many make a link at once.
async fn commits_of_many(node: &Node) -> u64 {
    const LABELS: &str = r#"{engine="sqlite",store="links"}"#;
    let commits = || node.metric(&format!("storage_commits_total{LABELS}"));
    let waiting = || node.metric(&format!("storage_tx_in_flight{LABELS}"));
    node.db.faults().stall_writer(2 * SOON);
    let before = commits();
    let makers = join_all((0..MAKERS).map(|_| node.path_of(json!({"url": "https://a.example"}))));
    let release = async {
        eventually("all wait for the store", SOON, async || waiting() >= MAKERS).await;
        node.db.faults().clear();
    };
    join(makers, release).await;
    commits() - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_share_a_commit_or_each_has_its_own_as_the_knob_says() {
    let world = World::sqlite(1).await;
    let node = world.node();
    let shared = commits_of_many(node).await;
    assert!(shared < MAKERS, "{shared} commits for {MAKERS} links");
    node.set("commits", "single");
    let own = commits_of_many(node).await;
    assert!(own >= MAKERS, "{own} commits for {MAKERS} links");
    node.set("commits", "grouped");
    let shared = commits_of_many(node).await;
    assert!(shared < MAKERS, "{shared} commits for {MAKERS} links");
}
