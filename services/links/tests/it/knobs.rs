//! Design choices that are turned while the service runs.

use futures_util::future::join_all;
use serde_json::json;

use crate::world::{Node, story};

/// How many visitors ask for a link at the same moment.
const VISITORS: usize = 16;
/// How often visitors come before it is said that they never load at the same time.
const ROUNDS: usize = 100;

/// How often the store was asked for one link, which is in no memory, by visitors who all come
/// before the first of them is answered.
async fn loads_of_one(node: &Node) -> u64 {
    const LOADS: &str = r#"cache_loads_total{cache="links.routes"}"#;
    let path = node.path_of(json!({"url": "https://a.example"})).await;
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
