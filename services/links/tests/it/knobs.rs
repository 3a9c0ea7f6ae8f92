//! Design choices that are turned while the service runs.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;
use testkit::eventually;

use crate::world::{Node, World, story};

/// How many visitors ask for a link at the same moment.
const VISITORS: u64 = 16;
const SOON: Duration = Duration::from_secs(30);

/// How often the store is asked for one link, which is in no memory, by visitors who all come
/// before the first of them is answered.
async fn loads_of_one(node: &Node) -> u64 {
    const CHANGES: &str = r#"cache_invalidations_total{cache="links.routes"}"#;
    let loads = || node.metric(r#"cache_loads_total{cache="links.routes"}"#);
    let waits = || node.metric(r#"cache_waits_total{cache="links.routes"}"#);
    let before = node.metric(CHANGES);
    let path = node.path_of(json!({"url": "https://a.example"})).await;
    // Told at once and by the event: a load that is overtaken by either is made again.
    let heard = async || node.metric(CHANGES) >= before + 2;
    eventually("the new link is heard of", SOON, heard).await;
    let (loads_before, all) = (loads(), loads() + waits() + VISITORS);
    node.db.faults().stall_reads(2 * SOON);
    let visits = join_all((0..VISITORS).map(|_| node.get(&path)));
    let release = async {
        eventually("all have come", SOON, async || loads() + waits() >= all).await;
        node.db.faults().clear();
    };
    for visit in join(visits, release).await.0 {
        assert_eq!(visit.status, 302);
    }
    loads() - loads_before
}

story! {
    async fn who_misses_waits_for_one_load_or_loads_as_the_knob_says(world: 1) {
        let node = world.node();
        assert_eq!(loads_of_one(node).await, 1, "whoever comes, one asks");
        node.set("loading", "each");
        assert_eq!(loads_of_one(node).await, VISITORS, "each asks for itself");
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
