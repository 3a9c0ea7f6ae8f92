//! Mutations that come at the same moment on several replicas: what must be once is once.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use kernel::Tasks;
use serde_json::{Value, json};

use crate::world::{Reply, World, story};

/// Puts the body on every replica several times at once.
async fn upserts(world: &Arc<World>, body: Value) -> Vec<Reply> {
    let tasks = Tasks::new();
    let asked: Vec<_> = (0..24)
        .map(|n| {
            let (world, body) = (Arc::clone(world), body.clone());
            tasks.spawn(async move {
                let node = &world.nodes[n % world.nodes.len()];
                node.json(Method::PUT, "/api/links/upsert", body).await
            })
        })
        .collect();
    let mut replies = Vec::new();
    for one in asked {
        replies.push(one.await.unwrap());
    }
    replies
}

story! {
    async fn upserts_of_one_link_at_once_make_one_and_agree(world: 3) {
        let world = Arc::new(world);
        let links = async || world.node().number("SELECT count(*) FROM links").await;
        for (made, body) in [
            json!({"url": "https://a.example/"}),
            json!({"url": "https://b.example/", "code": "chosen"}),
            json!({"url": "https://c.example/", "external_id": "crm-1"}),
        ].into_iter().enumerate() {
            let replies = upserts(&world, body).await;
            let mut ids = BTreeSet::new();
            for reply in &replies {
                assert!(reply.status.is_success(), "{}", reply.text());
                ids.insert(reply.json()["link"]["id"].to_string());
            }
            assert_eq!(ids.len(), 1, "every answer names the same link");
            let created = replies.iter().filter(|r| r.json()["created"] == true).count();
            assert_eq!((created, links().await), (1, 1 + made as i64));
        }
    }
}

story! {
    async fn a_domain_that_was_removed_takes_no_link_of_a_replica_that_has_not_heard(world: 2) {
        let (first, second) = (&world.nodes[0], &world.nodes[1]);
        let stays = second.path_of(json!({"url": "https://a.example/"})).await;
        // Whoever puts it knows it from then on.
        second.json(Method::PUT, "/api/links/domains", json!({"host": "go.example"})).await;
        let there = second.make(json!({"url": "https://b.example/", "domain": "go.example"})).await;
        let id = there["id"].as_str().unwrap();
        second.send(Method::DELETE, &format!("/api/links/{id}"), &[], "").await;
        let gone = first.send(Method::DELETE, "/api/links/domains/go.example", &[], "").await;
        assert_eq!(gone.status, 200);
        let links = "/api/links";
        let body = json!({"url": "https://c.example/", "domain": "go.example"});
        let made = second.json(Method::POST, links, body.clone()).await;
        assert_eq!(made.status, 422, "{}", made.text());
        let moved = second.json(Method::PATCH, &format!("{links}{stays}"), json!({"domain": "go.example"})).await;
        assert_eq!(moved.status, 422, "{}", moved.text());
        let bulk = json!({"links": [body, {"url": "https://d.example/"}]});
        let bulk = second.json(Method::POST, &format!("{links}/bulk"), bulk).await.json();
        assert_eq!((&bulk["items"][0]["status"], &bulk["items"][1]["status"]), (&json!(422), &json!(201)));
    }
}

const HOMELESS: &str =
    "SELECT count(*) FROM links WHERE domain <> '' AND domain NOT IN (SELECT host FROM domains)";

story! {
    async fn no_link_ends_on_a_domain_that_is_removed_at_the_same_moment(world: 3) {
        let world = Arc::new(world);
        let tasks = Tasks::new();
        for round in 0..20 {
            let host = format!("go{round}.example");
            for node in &world.nodes[..2] {
                node.json(Method::PUT, "/api/links/domains", json!({"host": host})).await;
            }
            let mut asked = Vec::new();
            for n in 0..3 {
                let (world, host) = (Arc::clone(&world), host.clone());
                asked.push(tasks.spawn(async move {
                    let body = json!({"url": "https://a.example/", "domain": host});
                    match n {
                        0 => world.nodes[0].json(Method::POST, "/api/links", body).await,
                        1 => world.nodes[1].json(Method::PUT, "/api/links/upsert", body).await,
                        _ => {
                            let domain = format!("/api/links/domains/{host}");
                            world.nodes[2].send(Method::DELETE, &domain, &[], "").await
                        }
                    }
                }));
            }
            let mut told = Vec::new();
            for one in asked {
                told.push(one.await.unwrap().status.as_u16());
            }
            let is_told = told[..2].iter().all(|s| matches!(s, 200 | 201 | 422)) && matches!(told[2], 200 | 409);
            assert!(is_told, "{told:?}");
            assert_eq!(world.node().number(HOMELESS).await, 0, "{told:?}");
        }
    }
}
