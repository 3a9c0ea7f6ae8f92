//! What is counted.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use super::{Api, CHROME, GOOGLEBOT, IPHONE, SEEN_EVERYWHERE, path_of, unique};

fn count(stats: &Value, list: &str, name: &str) -> u64 {
    let items = stats[list].as_array().expect("a list");
    items
        .iter()
        .filter(|c| c["name"] == json!(name))
        .filter_map(|c| c["clicks"].as_u64())
        .sum()
}

pub(crate) async fn bots_and_head_do_not_count(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/counted"}))
        .await;
    let news = ("referer", "https://news.example.org/item?id=<b>1</b>");
    for _ in 0..3 {
        let headers = [("user-agent", CHROME), news, ("accept-language", "en-GB")];
        assert_eq!(api.visit(Method::GET, &link, &headers).await.status, 302);
    }
    api.visit(
        Method::GET,
        &link,
        &[("user-agent", IPHONE), ("accept-language", "de")],
    )
    .await;
    api.visit_as(&link, GOOGLEBOT).await;
    api.visit(Method::HEAD, &link, &[("user-agent", CHROME)])
        .await;

    let path = format!("{}/stats", path_of(&link));
    // Another replica may be about to commit its last group.
    testkit::eventually("every visit is committed", SEEN_EVERYWHERE, || async {
        let stats = api.read(&path).await;
        let seen = ["total_clicks", "bots", "heads"].map(|f| stats[f].as_u64().unwrap_or(0));
        seen.iter().sum::<u64>() >= 6
    })
    .await;
    let stats = api.read(&path).await;
    assert_eq!(stats["total_clicks"], json!(4), "exact when read: {stats}");
    assert_eq!(stats["bots"], json!(1), "{stats}");
    assert_eq!(stats["heads"], json!(1), "{stats}");
    assert_eq!(
        stats["visitors"],
        json!(2),
        "one address with two agents: {stats}"
    );
    assert_eq!(count(&stats, "referrers", "news.example.org"), 3, "{stats}");
    assert_eq!(count(&stats, "referrers", "direct"), 1, "{stats}");
    for (list, name, clicks) in [
        ("devices", "ios", 1),
        ("devices", "desktop", 3),
        ("languages", "en", 3),
        ("languages", "de", 1),
    ] {
        assert_eq!(count(&stats, list, name), clicks, "{list} {name}: {stats}");
    }
    let series = stats["series"].as_array().expect("a series");
    let sum: u64 = series.iter().filter_map(|p| p["clicks"].as_u64()).sum();
    assert_eq!(sum, 4, "{stats}");
    assert!(
        !stats.to_string().contains("127.0.0.1"),
        "no address is shown"
    );
}

pub(crate) async fn what_is_no_link_is_counted_as_an_orphan(api: &Api) {
    let path = format!("/lost-{}", unique());
    assert_eq!(api.get(&path).await.status, 404);
    assert_eq!(api.get(&path).await.status, 404);
    testkit::eventually("both visits are counted", SEEN_EVERYWHERE, async || {
        let orphans = api.read("/api/links/orphans").await;
        assert!(orphans["unknown_code"].is_u64(), "{orphans}");
        count(&orphans, "paths", &path) == 2
    })
    .await;
}

const OFTEN: u64 = 40;

/// A link that many visited at once.
pub(crate) async fn visited_often(api: &Api) -> Value {
    let link = api
        .create(json!({"url": "https://example.com/often"}))
        .await;
    for visit in join_all((0..OFTEN).map(|_| api.visit_as(&link, CHROME))).await {
        assert_eq!(visit.status, 302);
    }
    link
}

pub(crate) async fn every_visit_is_counted(api: &Api, link: &Value) {
    let stats = api.read(&format!("{}/stats", path_of(link))).await;
    assert_eq!(stats["total_clicks"], json!(OFTEN), "{stats}");
}
