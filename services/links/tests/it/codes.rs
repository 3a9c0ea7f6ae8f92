//! Codes: how they are made, what is refused, and who guesses too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache::Tier;
use http::Method;
use kernel::Random;
use links::Config;
use serde_json::json;

use crate::world::{client, story};

/// Dice that show the same for a while: every code collides until they move on.
struct Stuck(AtomicU64);

impl Random for Stuck {
    fn fill(&self, out: &mut [u8]) {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        // Ids need to differ; codes are drawn in pieces of 16 bytes.
        let value = if out.len() == 16 { turn / 8 } else { turn };
        out.iter_mut().enumerate().for_each(|(at, byte)| {
            *byte = (value >> (8 * (at % 8))) as u8;
        });
    }
}

story! {
    async fn u10_a_code_that_is_taken_is_made_anew(world: 0) {
        let mut world = world;
        let dice = Arc::new(Stuck(AtomicU64::new(0)));
        let node = world.add_with(Config::default(), dice, Tier::Memory).await;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..8 {
            let link = node.make(json!({"url": "https://a.example"})).await;
            let code = link["code"].as_str().unwrap().to_owned();
            assert_eq!(code.len(), 7);
            assert!(seen.insert(code), "every code is new");
        }
    }
}

story! {
    async fn u10_u15_who_guesses_too_much_waits_for_seconds(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        let mut seen = [0_u32; 2];
        for n in 0..10_000 {
            let reply = node.send(Method::GET, &format!("/zz{n}"), &[], "").await;
            match reply.status.as_u16() {
                404 => seen[0] += 1,
                429 => {
                    seen[1] += 1;
                    let wait: u64 = reply.header("retry-after").parse().unwrap();
                    assert!((1..=60).contains(&wait), "delta seconds within the window: {wait}");
                }
                other => panic!("{other}"),
            }
        }
        assert_eq!(seen, [1_000, 9_000]);
        assert_eq!(node.get(&path).await.status, 429, "known codes do not stand out");
        let other = node.send_from(client(2), Method::GET, &path, &[], "").await;
        assert_eq!(other.status, 302, "another address is free");
        world.clock.advance(std::time::Duration::from_secs(61));
        assert_eq!(node.get(&path).await.status, 302, "another window");
    }
}

story! {
    async fn u14_reserved_words_scripts_and_case_are_as_documented(world: 1) {
        let node = world.node();
        for code in ["api", "API", "Health", "readyz", "metrics", "rpc", "раypal", "ａbc", "a b", "--", ""] {
            let body = json!({"url": "https://a.example", "code": code});
            let reply = node.json(Method::POST, "/api/links", body).await;
            if code.is_empty() {
                assert_eq!(reply.status, 201, "an empty code is none");
            } else {
                assert_eq!((reply.status.as_u16(), &reply.json()["errors"][0]["pointer"]), (422, &json!("/code")), "{code}");
            }
        }
        node.make(json!({"url": "https://one.example", "code": "Sale"})).await;
        node.make(json!({"url": "https://two.example", "code": "sale"})).await;
        assert_eq!(node.get("/Sale").await.header("location"), "https://one.example/");
        assert_eq!(node.get("/sale").await.header("location"), "https://two.example/");
        assert_eq!(node.get("/SALE").await.status, 404);
        assert_eq!(node.get("/%53ale").await.header("location"), "https://one.example/");
        let taken = json!({"url": "https://three.example", "code": "sale"});
        let taken = node.json(Method::POST, "/api/links", taken).await;
        assert_eq!((taken.status.as_u16(), &taken.json()["code"]), (409, &json!("conflict")));
        let punycode = node.make(json!({"url": "https://BÜCHER.example/x"})).await;
        assert_eq!(punycode["url"], "https://xn--bcher-kva.example/x");
    }
}

story! {
    async fn the_id_scheme_changes_while_it_runs(world: 2) {
        let node = world.node();
        node.set("ids", "counter");
        world.nodes[1].set("ids", "counter");
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..6 {
            let link = world.nodes[n % 2].make(json!({"url": "https://a.example"})).await;
            let code = link["code"].as_str().unwrap().to_owned();
            assert_eq!(code.len(), 3);
            assert!(seen.insert(code));
        }
        node.set("ids", "hash");
        let first = node.make(json!({"url": "https://same.example"})).await;
        let second = node.make(json!({"url": "https://same.example"})).await;
        assert_ne!(first["code"], second["code"], "a collision moves on");
        let id = first["id"].as_str().unwrap();
        node.send(Method::DELETE, &format!("/api/links/{id}"), &[], "").await;
        let third = node.make(json!({"url": "https://same.example"})).await;
        assert_eq!(first["code"], third["code"], "the same target has the same code");
        node.set("ids", "random");
        let random = node.make(json!({"url": "https://same.example"})).await;
        assert_eq!(random["code"].as_str().unwrap().len(), 7);
    }
}
