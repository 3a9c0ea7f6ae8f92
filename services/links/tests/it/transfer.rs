//! Imports and exports: many rows, faults by line, there and back again.

use http::Method;
use serde_json::json;

use crate::world::story;

story! {
    async fn thousands_of_rows_are_imported_and_faults_named_by_line(world: 1) {
        let node = world.node();
        let mut table = String::from("url,title,tags,code\n");
        for n in 0..3_000 {
            let bad = n % 1_000 == 500;
            let url = if bad { "nonsense".to_owned() } else { format!("https://a.example/{n}") };
            table += &format!("{url},\"Row, {n}\",one|two,\n");
        }
        table += "https://b.example,,,twice\nhttps://c.example,,,twice\n";
        let csv = [("content-type", "text/csv")];
        let report = node.send(Method::POST, "/api/links/import?tag=moved", &csv, table).await.json();
        assert_eq!((&report["created"], &report["failed"]), (&json!(2_998), &json!(4)), "{report}");
        let lines: Vec<u64> = report["errors"].as_array().unwrap().iter().map(|e| e["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [502, 1_502, 2_502, 3_003]);
        let tags = node.get("/api/links/tags").await.json();
        assert_eq!(tags["items"][0], json!({"name": "moved", "links": 2_998}));
        let all = node.get("/api/links/export").await;
        assert_eq!(all.text().lines().count(), 2_999);
        assert!(all.text().starts_with("url,code,domain,title"));
    }
}

story! {
    async fn what_is_exported_can_be_imported_elsewhere(world: 1) {
        let node = world.node();
        for link in [
            json!({"url": "https://a.example/?x=1&y=2", "title": "A \"quoted\", title", "tags": ["t1", "t2"], "code": "aaa"}),
            json!({"url": "https://b.example/", "notes": "two\nlines", "status": 307, "max_clicks": 9, "code": "bbb"}),
            json!({"url": "https://c.example/", "expires_at": "2027-01-01T00:00:00Z", "enabled": false, "code": "ccc"}),
        ] {
            node.make(link).await;
        }
        let table = node.get("/api/links/export").await.text();
        let bookmarks = node.get("/api/links/export?format=bookmarks").await.text();
        let before = node.get("/api/links").await.json();
        let clear = json!({"links": ["aaa", "bbb", "ccc"]});
        node.json(Method::DELETE, "/api/links/bulk", clear.clone()).await;
        let csv = [("content-type", "text/csv")];
        let report = node.send(Method::POST, "/api/links/import", &csv, table).await.json();
        assert_eq!(report["created"], 3, "{report}");
        let after = node.get("/api/links").await.json();
        let same = |field: &str| {
            let of = |page: &serde_json::Value| {
                let mut all: Vec<String> = page["items"].as_array().unwrap().iter()
                    .map(|l| format!("{} {}", l["code"], l[field])).collect();
                all.sort();
                all
            };
            assert_eq!(of(&before), of(&after), "{field}");
        };
        for field in ["url", "title", "tags", "notes", "status", "max_clicks", "expires_at", "enabled"] {
            same(field);
        }
        node.json(Method::DELETE, "/api/links/bulk", clear).await;
        let html = [("content-type", "text/html")];
        let report = node.send(Method::POST, "/api/links/import", &html, bookmarks).await.json();
        assert_eq!(report["created"], 3, "{report}");
        let link = node.get("/api/links/aaa").await.json();
        assert_eq!((&link["title"], &link["tags"]), (&json!("A \"quoted\", title"), &json!(["t1", "t2"])));
        assert_eq!(link["url"], "https://a.example/?x=1&y=2");
    }
}

story! {
    async fn another_file_under_the_key_of_an_import_is_refused_and_makes_nothing(world: 1) {
        let node = world.node();
        let rows = |n: usize| (0..n).fold("url,spare\n".to_owned(), |t, n| t + &format!("https://a.example/{n},s\n"));
        let import = async |key: &str, table: String| {
            let headers = [("content-type", "text/csv"), ("idempotency-key", key)];
            node.send(Method::POST, "/api/links/import", &headers, table).await
        };
        for (key, first, other) in [
            ("other rows", rows(2), rows(2).replace("/1", "/one")),
            ("a part of it", rows(1_001), rows(1_000)),
            ("more than it", rows(1_000), rows(1_001)),
            ("other cells that are not read", rows(2), rows(2).replace(",s", ",t")),
            ("rows that cannot be read", "url,title\n,one\n".to_owned(), "url,title\n,two\n".to_owned()),
            ("nothing", String::new(), rows(2)),
        ] {
            let made = import(key, first.clone()).await;
            assert_eq!((made.status.as_u16(), made.header("idempotency-replayed")), (200, ""), "{key}");
            let count = node.number("SELECT count(*) FROM links").await;
            let refused = import(key, other).await;
            assert_eq!(refused.status, 422, "{key}: {}", refused.text());
            let again = import(key, first).await;
            assert_eq!(again.header("idempotency-replayed"), "true", "{key}");
            assert_eq!(again.json(), made.json(), "{key}");
            assert_eq!(node.number("SELECT count(*) FROM links").await, count, "{key}");
        }
    }
}

story! {
    async fn cells_that_look_like_formulas_and_rules_come_back_as_they_were(world: 1) {
        let node = world.node();
        let rules = json!([{"name": "=1+1", "languages": ["de"], "url": "https://b.example/"}]);
        let link = node.make(json!({"url": "https://a.example/", "code": "-3-4", "title": "=1+1", "notes": "'=2",
            "tags": ["+a;b"], "external_id": "@me ", "rules": rules})).await;
        for (format, kind) in [("csv", "text/csv"), ("json", "application/x-ndjson")] {
            let file = node.get(&format!("/api/links/export?format={format}")).await;
            assert!(file.header("content-type").starts_with(kind), "{format}");
            node.send(Method::DELETE, "/api/links/-3-4", &[], "").await;
            let kind = [("content-type", kind)];
            let report = node.send(Method::POST, "/api/links/import", &kind, file.body.clone()).await;
            assert_eq!(report.json()["created"], 1, "{}", report.text());
            let again = node.get("/api/links/-3-4").await.json();
            for field in ["title", "notes", "tags", "external_id", "rules"] {
                assert_eq!(link[field], again[field], "{field} in {}", file.text());
            }
        }
    }
}
