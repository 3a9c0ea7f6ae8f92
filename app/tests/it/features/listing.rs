//! Finding links again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Api, text, unique};

async fn tagged(api: &Api, count: usize) -> (String, BTreeSet<String>) {
    let tag = unique();
    let links: Vec<Value> = (0..count)
        .map(|i| json!({"url": format!("https://example.com/{tag}/{i}"), "tags": [tag, "story"]}))
        .collect();
    let made = api
        .post("/api/links/bulk", &json!({ "links": links }))
        .await
        .json();
    let items = made["items"].as_array().expect("items");
    (
        tag,
        items
            .iter()
            .map(|item| text(&item["link"], "id").to_owned())
            .collect(),
    )
}

pub(crate) async fn cursors_page_through_everything_once(api: &Api) {
    for sort in ["created", "clicks"] {
        let (tag, expected) = tagged(api, 25).await;
        let mut seen = Vec::new();
        let mut path = format!("/api/links?tag={tag}&limit=10&sort={sort}");
        let mut pages = 0;
        loop {
            let page = api.read(&path).await;
            pages += 1;
            let items = page["items"].as_array().expect("items");
            seen.extend(items.iter().map(|link| text(link, "id").to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/links?tag={tag}&limit=10&sort={sort}&cursor={cursor}");
        }
        assert_eq!(pages, 3, "{sort}");
        assert_eq!(seen.len(), 25, "{sort}");
        assert_eq!(
            seen.into_iter().collect::<BTreeSet<_>>(),
            expected,
            "{sort}"
        );
    }
    let bad = api.get("/api/links?cursor=nonsense").await;
    assert!(bad.status.is_client_error(), "{}", bad.text());
}

pub(crate) async fn search_and_tags_find(api: &Api) {
    let (tag, expected) = tagged(api, 3).await;
    let found = api
        .read(&format!("/api/links?search={}", tag.to_uppercase()))
        .await;
    assert_eq!(
        found["items"].as_array().map(Vec::len),
        Some(expected.len()),
        "{found}"
    );
    let tags = api.read("/api/links/tags").await;
    let ours = json!({"name": tag, "links": expected.len()});
    let all = tags["items"].as_array().expect("items");
    assert!(all.contains(&ours), "{tags}");
    let none = api.read("/api/links?search=100%25_no_such_text").await;
    assert_eq!(
        none["items"],
        json!([]),
        "signs of LIKE are searched for as they are"
    );
}
