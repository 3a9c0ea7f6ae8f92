//! Other targets for some visitors.

use http::Method;
use serde_json::{Value, json};

use super::{Api, CHROME, IPHONE, path_of};

async fn ruled(api: &Api) -> Value {
    api.create(json!({
        "url": "https://example.com/all",
        "rules": [
            {"name": "apple", "devices": ["ios"], "url": "https://example.com/ios"},
            {"name": "german", "languages": ["de"], "url": "https://example.com/de"},
            {"name": "past", "until": "2001-01-01T00:00:00Z", "url": "https://example.com/past"},
        ],
    }))
    .await
}

pub(crate) async fn the_first_matching_rule_wins(api: &Api) {
    let link = ruled(api).await;
    let cases = [
        (CHROME, "en", "https://example.com/all"),
        (IPHONE, "en", "https://example.com/ios"),
        (IPHONE, "de", "https://example.com/ios"),
        (CHROME, "fr;q=0.5, de-AT", "https://example.com/de"),
        (CHROME, "de;q=0", "https://example.com/all"),
    ];
    for (agent, language, target) in cases {
        let headers = [("user-agent", agent), ("accept-language", language)];
        let reply = api.visit(Method::GET, &link, &headers).await;
        assert_eq!(reply.header("location"), target, "{agent} {language}");
    }
}

pub(crate) async fn explain_names_the_rule_and_the_reason(api: &Api) {
    let link = ruled(api).await;
    let path = format!("{}/explain", path_of(&link));
    let visitor = json!({"agent": IPHONE, "language": "de", "time": "2026-01-01T00:00:00Z"});
    let explained = api.post(&path, &visitor).await.json();
    assert_eq!(explained["rule"], json!(0), "{explained}");
    assert_eq!(explained["device"], json!("ios"));
    assert_eq!(explained["location"], json!("https://example.com/ios"));
    let visitor = json!({"agent": CHROME, "language": "en", "time": "2000-06-01T00:00:00Z"});
    let explained = api.post(&path, &visitor).await.json();
    assert_eq!(
        explained["rule"],
        json!(2),
        "at that time the third rule held: {explained}"
    );
    let steps = explained["steps"].as_array().expect("steps");
    assert!(
        steps
            .iter()
            .all(|s| s["reason"].as_str().is_some_and(|r| !r.is_empty())),
        "{steps:?}"
    );
}
