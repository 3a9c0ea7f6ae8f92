//! Lists: filters, two orders, pages that neither skip nor repeat.

use http::Method;
use serde_json::{Value, json};

use crate::world::{Node, story};

async fn codes(node: &Node, query: &str) -> Vec<String> {
    let page = node.get(&format!("/api/links?{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let items = page.json()["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|l| l["code"].as_str().unwrap().to_owned())
        .collect()
}

story! {
    async fn filters_find_what_they_say(world: 1) {
        let node = world.node();
        node.json(Method::PUT, "/api/links/domains", json!({"host": "go.example"})).await;
        for link in [
            json!({"url": "https://a.example/Docs", "code": "one", "tags": ["Red", "blue"]}),
            json!({"url": "https://b.example", "code": "two", "title": "50% Größe", "tags": ["red"]}),
            json!({"url": "https://c.example", "code": "three", "domain": "go.example"}),
            json!({"url": "https://d.example", "code": "four", "enabled": false}),
            json!({"url": "https://e.example", "code": "five", "expires_at": "2026-11-23T11:00:00Z"}),
            json!({"url": "https://f.example", "code": "six", "max_clicks": 1}),
        ] {
            node.make(link).await;
        }
        node.get("/six").await;
        assert_eq!(codes(node, "search=dOCS").await, ["one"]);
        assert_eq!(codes(node, "search=gr%C3%B6%C3%9Fe").await, ["two"]);
        assert_eq!(codes(node, "search=50%25").await, ["two"], "a wildcard stands for itself");
        assert_eq!(codes(node, "tag=RED").await, ["two", "one"]);
        assert_eq!(codes(node, "domain=go.example").await, ["three"]);
        assert_eq!(codes(node, "domain=default&tag=blue").await, ["one"]);
        assert_eq!(codes(node, "status=disabled").await, ["four"]);
        assert_eq!(codes(node, "status=expired").await, ["five"]);
        assert_eq!(codes(node, "status=exhausted").await, ["six"]);
        assert_eq!(codes(node, "status=active").await, ["three", "two", "one"]);
        let tags = node.get("/api/links/tags").await.json();
        assert_eq!(tags["items"], json!([{"name": "red", "links": 2}, {"name": "blue", "links": 1}]));
    }
}

story! {
    async fn pages_neither_skip_nor_repeat_in_either_order(world: 1) {
        let node = world.node();
        let mut clicks: Vec<(u64, String)> = Vec::new();
        for n in 0..12_u64 {
            let path = node.path_of(json!({"url": format!("https://a.example/{n}")})).await;
            for _ in 0..n % 4 {
                node.get(&path).await;
            }
            clicks.push((n % 4, path[1..].to_owned()));
        }
        node.folded().await;
        let all = node.get("/api/links?limit=200").await.json();
        let sum: u64 = all["items"].as_array().unwrap().iter().map(|l| l["clicks"].as_u64().unwrap()).sum();
        assert_eq!(sum, 18);
        let newest: Vec<String> = clicks.iter().rev().map(|(_, code)| code.clone()).collect();
        assert_eq!(walk(node, "sort=created").await, newest);
        let by_clicks = walk(node, "sort=clicks").await;
        let of = |code: &String| clicks.iter().find(|(_, c)| c == code).unwrap().0;
        let numbers: Vec<u64> = by_clicks.iter().map(of).collect();
        assert_eq!(numbers, [3, 3, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0]);
        let first = node.get("/api/links?limit=5").await.json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let other = node.get(&format!("/api/links?sort=clicks&cursor={cursor}")).await;
        assert_eq!(other.status, 422);
        assert_eq!(other.json()["errors"][0]["pointer"], "/cursor");
        assert_eq!(node.get("/api/links?cursor=nonsense").await.status, 422);
    }
}

async fn walk(node: &Node, query: &str) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = node
            .get(&format!("/api/links?{query}&limit=5{cursor}"))
            .await
            .json();
        let items = page["items"].as_array().unwrap();
        all.extend(items.iter().map(|l| l["code"].as_str().unwrap().to_owned()));
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return all,
        }
    }
}
