//! What is counted.

use http::Method;
use serde_json::{Value, json};

use super::{Api, CHROME, GOOGLEBOT, IPHONE, path_of};

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
    testkit::eventually(
        "every visit is committed",
        super::SEEN_EVERYWHERE,
        || async {
            let stats = api.read(&path).await;
            let seen = ["total_clicks", "bots", "heads"].map(|f| stats[f].as_u64().unwrap_or(0));
            seen.iter().sum::<u64>() >= 6
        },
    )
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
    assert_eq!(count(&stats, "devices", "ios"), 1, "{stats}");
    let series = stats["series"].as_array().expect("a series");
    let sum: u64 = series.iter().filter_map(|p| p["clicks"].as_u64()).sum();
    assert_eq!(sum, 4, "{stats}");
    assert!(
        !stats.to_string().contains("127.0.0.1"),
        "no address is shown"
    );
}
