//! The API: shapes, errors, methods, bulk, upsert, QR codes, its document.

use contracts::links::{CreateLink, GetLink, Links as _, LinksClient, LinksError, LinksServer};
use http::Method;
use mesh::{CallCx, Edge};
use serde_json::{Value, json};

use crate::world::story;

story! {
    async fn a_slip_in_a_name_is_answered_with_the_nearest_one(world: 1) {
        let node = world.node();
        let slip = node.json(Method::POST, "/api/links", json!({"ulr": "https://a.example"})).await;
        assert_eq!((slip.status.as_u16(), slip.header("content-type")), (422, "application/problem+json"));
        let problem = slip.json();
        assert!(problem["detail"].as_str().unwrap().contains("did you mean url"), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], "/ulr");
        let query = node.get("/api/links?serach=x").await;
        assert_eq!(query.status, 422);
        let wrong = node.json(Method::POST, "/api/links", json!({"url": 7})).await;
        assert_eq!((wrong.status.as_u16(), &wrong.json()["errors"][0]["pointer"]), (422, &json!("/url")));
        let torn = node.send(Method::POST, "/api/links", &[("content-type", "application/json")], "{").await;
        assert_eq!(torn.status, 400);
        let plain = node.send(Method::POST, "/api/links", &[("content-type", "text/plain")], "{}").await;
        assert_eq!(plain.status, 415);
    }
}

story! {
    async fn every_error_is_a_problem(world: 1) {
        let node = world.node();
        let id = "01h00000000000000000000000";
        for (method, path, status) in [
            (Method::GET, format!("/api/links/{id}"), 404),
            (Method::GET, "/api/links/nothere".to_owned(), 404),
            (Method::GET, "/api/links/ext_nothere".to_owned(), 404),
            (Method::DELETE, format!("/api/links/{id}"), 404),
            (Method::GET, format!("/api/links/{id}/stats"), 404),
            (Method::GET, format!("/api/links/{id}/qr.svg"), 404),
            (Method::GET, "/api/links/a/b/c".to_owned(), 404),
            (Method::PUT, "/api/links".to_owned(), 405),
            (Method::POST, format!("/api/links/{id}"), 405),
            (Method::GET, "/api/links?limit=x".to_owned(), 422),
            (Method::DELETE, "/api/links/domains/none.example".to_owned(), 404),
        ] {
            let reply = node.send(method.clone(), &path, &[], "").await;
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
            assert_eq!(reply.header("content-type"), "application/problem+json", "{method} {path}");
            assert_eq!(reply.json()["status"], status);
        }
        let options = node.send(Method::OPTIONS, "/api/links", &[], "").await;
        assert_eq!(options.status, 204);
        assert!(options.header("allow").contains("POST"));
        let head = node.send(Method::HEAD, "/api/links", &[], "").await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        let options = node.send(Method::OPTIONS, "/abc", &[], "").await;
        assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET, HEAD, OPTIONS"));
        assert_eq!(node.send(Method::PUT, "/abc", &[], "").await.status, 405);
    }
}

story! {
    async fn a_link_is_found_by_id_code_and_external_id(world: 1) {
        let node = world.node();
        let link = node.make(json!({"url": "https://a.example", "external_id": "order 7"})).await;
        for name in [link["id"].as_str().unwrap(), link["code"].as_str().unwrap(), "ext_order%207"] {
            assert_eq!(node.get(&format!("/api/links/{name}")).await.json()["id"], link["id"], "{name}");
        }
        let twin = json!({"url": "https://b.example", "external_id": "order 7"});
        let twin = node.json(Method::POST, "/api/links", twin).await;
        assert_eq!(twin.status, 409);
        assert!(twin.text().contains("upsert"));
    }
}

story! {
    async fn an_upsert_makes_or_changes_but_never_doubles(world: 1) {
        let node = world.node();
        let put = async |body| node.json(Method::PUT, "/api/links/upsert", body).await;
        let first = put(json!({"url": "https://a.example", "external_id": "x", "title": "One"})).await;
        assert_eq!((first.status.as_u16(), &first.json()["created"]), (201, &json!(true)));
        let second = put(json!({"url": "https://b.example", "external_id": "x"})).await;
        assert_eq!((second.status.as_u16(), &second.json()["created"]), (200, &json!(false)));
        let link = &second.json()["link"];
        assert_eq!((&link["url"], &link["title"], &link["version"]),
            (&json!("https://b.example/"), &json!("One"), &json!(2)));
        let by_url = put(json!({"url": "https://c.example"})).await.json();
        let again = put(json!({"url": "https://C.example/", "tags": ["t"]})).await.json();
        assert_eq!((&again["created"], &again["link"]["id"]), (&json!(false), &by_url["link"]["id"]));
        let by_code = put(json!({"url": "https://d.example", "code": "mine"})).await.json();
        let moved = put(json!({"url": "https://e.example", "code": "mine"})).await.json();
        assert_eq!((&moved["created"], &moved["link"]["id"]), (&json!(false), &by_code["link"]["id"]));
    }
}

story! {
    async fn items_of_a_bulk_request_succeed_or_fail_by_themselves(world: 1) {
        let node = world.node();
        let bulk = async |method, links| {
            node.json(method, "/api/links/bulk", json!({"links": links})).await
        };
        let made = bulk(Method::POST, json!([
            {"url": "https://a.example", "code": "aa"},
            {"url": "javascript:1"},
            {"url": "https://c.example", "code": "aa"},
            {"url": "https://d.example", "code": "dd"},
        ])).await.json();
        assert_eq!((&made["succeeded"], &made["failed"]), (&json!(2), &json!(2)));
        let statuses: Vec<u64> = made["items"].as_array().unwrap().iter().map(|i| i["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, [201, 422, 409, 201]);
        let changed = bulk(Method::PATCH, json!([
            {"link": "aa", "changes": {"title": "A"}},
            {"link": "none", "changes": {"title": "N"}},
            {"link": "dd", "changes": {"code": "aa"}},
        ])).await.json();
        let statuses: Vec<u64> = changed["items"].as_array().unwrap().iter().map(|i| i["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, [200, 404, 409]);
        let gone = bulk(Method::DELETE, json!(["aa", "aa", "dd"])).await.json();
        assert_eq!((&gone["succeeded"], &gone["failed"]), (&json!(2), &json!(1)));
        let many: Vec<_> = (0..101).map(|n| json!({"url": format!("https://a.example/{n}")})).collect();
        assert_eq!(bulk(Method::POST, json!(many)).await.status, 422);
    }
}

story! {
    async fn a_qr_code_is_a_picture_of_the_short_url(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        let svg = node.get(&format!("/api/links{path}/qr.svg")).await;
        assert_eq!((svg.status.as_u16(), svg.header("content-type")), (200, "image/svg+xml"));
        assert!(svg.text().starts_with("<svg"));
        let png = node.get(&format!("/api/links{path}/qr.png?size=300")).await;
        assert_eq!((png.status.as_u16(), png.header("content-type")), (200, "image/png"));
        assert_eq!(&png.body[..8], b"\x89PNG\r\n\x1a\n");
    }
}

story! {
    async fn the_contract_does_the_same_over_the_mesh(world: 1) {
        let node = world.node();
        let server = LinksServer::new(std::sync::Arc::clone(&node.service));
        let links = LinksClient(Edge::strict(server));
        let cx = CallCx::new(&kernel::SystemClock, std::time::Duration::from_secs(5)).with_idempotency_key("k");
        let made = links.create(&cx, CreateLink::to("https://a.example")).await.unwrap();
        let again = links.create(&cx, CreateLink::to("https://a.example")).await.unwrap();
        assert_eq!(made, again);
        let other = links.create(&cx, CreateLink::to("https://b.example")).await;
        assert_eq!(other, Err(LinksError::IdempotencyMismatch));
        let found = links.get(&cx, GetLink::by(made.code.clone())).await.unwrap();
        assert_eq!(found.id, made.id);
        let unknown = links.get(&cx, GetLink::by("nothere")).await;
        assert_eq!(unknown, Err(LinksError::no_link("nothere")));
    }
}

#[test]
fn the_document_names_every_resource() {
    let document = serde_json::to_value(links::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths.len(), 16, "{paths:?}");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in [
        "CreateLink",
        "LinkView",
        "LinkStats",
        "Problem",
        "Explained",
        "BulkResult",
    ] {
        assert!(schemas.contains_key(name), "{name} in {:?}", schemas.keys());
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let mut document = serde_json::to_value(links::openapi()).unwrap();
    assert_eq!(dangling(&document), Vec::<String>::new());
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    schemas.remove("LinkSort").unwrap();
    assert_eq!(
        dangling(&document),
        ["#/components/schemas/LinkSort"],
        "planted"
    );
}

/// The references that lead nowhere.
fn dangling(document: &Value) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(to)) = fields.get("$ref") {
                    found.push(to.clone());
                }
                fields.values().for_each(|v| collect(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| collect(v, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(document, &mut found);
    found.retain(|to| document.pointer(to.trim_start_matches('#')).is_none());
    found
}

story! {
    async fn odd_characters_in_names_are_no_fault_of_the_store(world: 1) {
        let node = world.node();
        for path in ["/api/links/%00", "/api/links/ext_%00", "/api/links/%F0%9F%98%80", "/%00", "/a%00b", "/%FF", "/%F0%9F%98%80"] {
            assert_eq!(node.get(path).await.status, 404, "{path}");
        }
        for query in ["search=%00", "tag=%00", "domain=%00", "cursor=%00"] {
            assert_eq!(node.get(&format!("/api/links?{query}")).await.status, 422, "{query}");
        }
        assert_eq!(node.get("/api/links/abc?domain=%00").await.status, 404);
        for field in ["title", "notes", "external_id", "code", "domain", "cache_control"] {
            let body = json!({"url": "https://a.example", field: "a\u{0}b"});
            assert_eq!(node.json(Method::POST, "/api/links", body).await.status, 422, "{field}");
        }
        let tagged = json!({"url": "https://a.example", "tags": ["\u{0}"], "password": "\u{0}"});
        assert_eq!(node.json(Method::POST, "/api/links", tagged).await.status, 422);
    }
}
