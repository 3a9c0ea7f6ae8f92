//! Click limits are exact, whoever asks and wherever.

use std::sync::Arc;

use http::Method;
use serde_json::json;

use crate::world::{LAPTOP, story};

story! {
    async fn u1_a_hundred_clicks_are_a_hundred_redirects_on_three_nodes(world: 3) {
        let path = world.node().path_of(json!({"url": "https://a.example", "max_clicks": 100})).await;
        let world = Arc::new(world);
        let tasks = kernel::Tasks::new();
        let mut visits = Vec::new();
        for visitor in 0..200 {
            let (world, path) = (Arc::clone(&world), path.clone());
            visits.push(tasks.spawn(async move {
                let mut seen = Vec::new();
                for turn in 0..10 {
                    let node = &world.nodes[(visitor + turn) % 3];
                    seen.push(node.get(&path).await.status.as_u16());
                }
                seen
            }));
        }
        let mut seen = Vec::new();
        for visit in visits {
            seen.extend(visit.await.unwrap());
        }
        let count = |status| seen.iter().filter(|s| **s == status).count();
        assert_eq!((count(302), count(410)), (100, 1_900));
        let link = world.nodes[2].get(&format!("/api/links{path}")).await.json();
        assert_eq!((&link["clicks_left"], &link["state"]), (&json!(0), &json!("exhausted")));
    }
}

story! {
    async fn head_and_previews_use_up_no_click_and_learn_nothing(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://secret.example", "max_clicks": 1})).await;
        let head = node.send(Method::HEAD, &path, &[("user-agent", LAPTOP)], "").await;
        assert_eq!((head.status.as_u16(), head.header("location")), (204, ""));
        let slack = [("user-agent", "Slackbot-LinkExpanding 1.0")];
        let preview = node.send(Method::GET, &path, &slack, "").await;
        assert_eq!(preview.status, 200);
        assert!(!preview.text().contains("secret.example"));
        assert_eq!(node.get(&path).await.status, 302);
        assert_eq!(node.get(&path).await.status, 410);
    }
}

story! {
    async fn a_limit_that_is_raised_keeps_what_is_used(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example", "max_clicks": 2})).await;
        for expected in [302, 302, 410] {
            assert_eq!(node.get(&path).await.status, expected);
        }
        let link = node.patch(&path, json!({"max_clicks": 3})).await;
        assert_eq!(link["clicks_left"], 1);
        assert_eq!(node.get(&path).await.status, 302);
        assert_eq!(node.get(&path).await.status, 410);
        node.patch(&path, json!({"max_clicks": null})).await;
        assert_eq!(node.get(&path).await.status, 302);
    }
}
