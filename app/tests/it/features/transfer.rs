//! Links in and out.

use http::Method;
use serde_json::{Value, json};

use super::{Api, CHROME, path_of, unique};

pub(crate) async fn csv_goes_in_and_comes_out(api: &Api) {
    let mark = unique();
    let file = format!(
        "url,code,title,tags\nhttps://example.com/csv/1,a-{mark},\"One, two\",{mark}\nnot a url,,,\nhttps://example.com/csv/3,,=1+1,{mark}\n"
    );
    let reply = api
        .send(
            Method::POST,
            "/api/links/import",
            &[("content-type", "text/csv")],
            &file,
        )
        .await;
    assert!(reply.status.is_success(), "{}", reply.text());
    let report = reply.json();
    assert_eq!(
        (report["created"].as_u64(), report["failed"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(report["errors"][0]["line"].as_u64(), Some(3), "{report}");
    let visited = api
        .send(
            Method::GET,
            &format!("/a-{mark}"),
            &[("user-agent", CHROME)],
            "",
        )
        .await;
    assert_eq!(visited.header("location"), "https://example.com/csv/1");

    let out = api.get("/api/links/export?format=csv").await;
    assert!(
        out.header("content-type").starts_with("text/csv"),
        "{:?}",
        out.headers
    );
    let text = out.text();
    assert!(
        text.contains("https://example.com/csv/1") && text.contains("\"One, two\""),
        "{text}"
    );
    assert!(
        !text.contains(",=1+1"),
        "a cell never starts a formula: {text}"
    );
}

pub(crate) async fn bookmarks_are_read(api: &Api) {
    let mark = unique();
    let file = format!(
        "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n<DT><H3>{mark}</H3>\n<DL><p>\n<DT><A HREF=\"https://example.com/bm?a=1&amp;b=2\" ADD_DATE=\"1700000000\">Tom &amp; Jerry</A>\n</DL><p>\n</DL><p>\n"
    );
    let reply = api
        .send(
            Method::POST,
            "/api/links/import",
            &[("content-type", "text/html")],
            &file,
        )
        .await;
    assert!(reply.status.is_success(), "{}", reply.text());
    assert_eq!(
        reply.json()["created"].as_u64(),
        Some(1),
        "{}",
        reply.text()
    );
    let found = api.read("/api/links?search=Tom%20%26%20Jerry").await;
    assert_eq!(
        found["items"][0]["url"].as_str(),
        Some("https://example.com/bm?a=1&b=2")
    );
}

pub(crate) async fn what_is_exported_can_be_imported_again(api: &Api) {
    let tag = unique();
    let link = api
        .create(json!({
            "url": "https://example.com/?a=1&b=2", "code": format!("-{tag}"), "title": "=1+1",
            "notes": "two\nlines", "tags": [tag, "a|b"], "status": 307, "max_clicks": 9,
        }))
        .await;
    let all = "url code title notes tags status max_clicks";
    for (format, kind, fields) in [
        ("csv", "text/csv", all),
        ("json", "application/x-ndjson", all),
        ("bookmarks", "text/html", "url code title tags"),
    ] {
        let file = api
            .get(&format!("/api/links/export?format={format}"))
            .await
            .text();
        let found = async || -> Value {
            let page = api.read(&format!("/api/links?tag={tag}")).await;
            page["items"].clone()
        };
        assert_eq!(api.delete(&path_of(&found().await[0])).await.status, 200);
        assert_eq!(found().await, json!([]));
        let kind = [("content-type", kind)];
        // What is still there is reported, and the rest is made.
        let reply = api
            .send(Method::POST, "/api/links/import", &kind, &file)
            .await;
        assert_eq!(reply.json()["created"], json!(1), "{}", reply.text());
        let again = found().await;
        for field in fields.split(' ') {
            assert_eq!(again[0][field], link[field], "{format} {field}");
        }
    }
}
