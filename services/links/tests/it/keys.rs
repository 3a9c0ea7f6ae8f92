//! Idempotency keys: every mutation of the document takes effect once, and refuses another request
//! under the same key.

use http::Method;
use serde_json::{Value, json};

use crate::world::{Node, Reply, story};

/// A mutation as the document names it, and two requests of it that differ: paths and bodies.
struct Mutation {
    name: &'static str,
    first: (String, String),
    other: (String, String),
}

impl Mutation {
    /// Differs by its body.
    fn of(name: &'static str, path: &str, [first, other]: [Value; 2]) -> Self {
        let with = |body: Value| (path.to_owned(), body.to_string());
        Self {
            name,
            first: with(first),
            other: with(other),
        }
    }

    /// Differs by its path.
    fn at(name: &'static str, [first, other]: [&str; 2]) -> Self {
        let at = |path: &str| (path.to_owned(), String::new());
        Self {
            name,
            first: at(first),
            other: at(other),
        }
    }
}

/// What asks and changes nothing, though it has a body.
const QUESTIONS: &[&str] = &["POST /api/links/{id}/explain"];

/// A request for each mutation of the document, in the order in which they can be told.
async fn mutations(node: &Node) -> Vec<Mutation> {
    let mut all = of_one_link(node).await;
    all.extend(of_several());
    all.extend(of_domains(node).await);
    all
}

async fn of_one_link(node: &Node) -> Vec<Mutation> {
    let mut paths = Vec::new();
    for title in ["changed", "gone", "gone too"] {
        let link = node
            .make(json!({"url": "https://a.example", "title": title}))
            .await;
        let id = link["id"].as_str().unwrap();
        node.patch(id, json!({"title": "second"})).await;
        paths.push(format!("/api/links/{id}"));
    }
    let [link, gone, other] = [&paths[0], &paths[1], &paths[2]];
    let to = |host: &str| json!({"url": format!("https://{host}.example"), "external_id": "x"});
    vec![
        Mutation::of(
            "POST /api/links",
            "/api/links",
            [json!({"url": "https://b.example"}), to("c")],
        ),
        Mutation::of(
            "PUT /api/links/upsert",
            "/api/links/upsert",
            [to("u"), to("v")],
        ),
        Mutation::of(
            "PATCH /api/links/{id}",
            link,
            [json!({"title": "t"}), json!({"title": "u"})],
        ),
        Mutation::of(
            "POST /api/links/{id}/rollback",
            &format!("{link}/rollback"),
            [json!({"version": 1}), json!({"version": 2})],
        ),
        Mutation::at("DELETE /api/links/{id}", [gone, other]),
    ]
}

fn of_several() -> Vec<Mutation> {
    let bulk = "/api/links/bulk";
    let made = |code: &str| json!({"links": [{"url": "https://d.example", "code": code}]});
    let titled = |title: &str| json!({"links": [{"link": "bulk", "changes": {"title": title}}]});
    let file = |host: &str| {
        (
            "/api/links/import".to_owned(),
            format!("url\nhttps://{host}.example\n"),
        )
    };
    vec![
        Mutation::of("POST /api/links/bulk", bulk, [made("bulk"), made("other")]),
        Mutation::of("PATCH /api/links/bulk", bulk, [titled("a"), titled("b")]),
        Mutation::of(
            "DELETE /api/links/bulk",
            bulk,
            [json!({"links": ["bulk"]}), json!({"links": ["x"]})],
        ),
        Mutation {
            name: IMPORT,
            first: file("f"),
            other: file("g"),
        },
    ]
}

async fn of_domains(node: &Node) -> Vec<Mutation> {
    let paths = ["one.example", "two.example"].map(|host| format!("/api/links/domains/{host}"));
    for host in ["one.example", "two.example"] {
        node.json(Method::PUT, "/api/links/domains", json!({"host": host}))
            .await;
    }
    vec![
        Mutation::of(
            "PUT /api/links/domains",
            "/api/links/domains",
            [
                json!({"host": "three.example"}),
                json!({"host": "four.example"}),
            ],
        ),
        Mutation::at("DELETE /api/links/domains/{host}", [&paths[0], &paths[1]]),
    ]
}

const IMPORT: &str = "POST /api/links/import";

/// The operations of the document that may change something, with their parameters.
fn operations() -> Vec<(String, Value)> {
    let document = serde_json::to_value(links::openapi()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            if method != "get" && !QUESTIONS.contains(&name.as_str()) {
                found.push((name, operation["parameters"].clone()));
            }
        }
    }
    found
}

#[test]
fn every_mutation_of_the_document_names_the_key() {
    for (name, parameters) in operations() {
        let key = |p: &Value| p["name"] == "Idempotency-Key" && p["in"] == "header";
        assert!(
            parameters.as_array().is_some_and(|all| all.iter().any(key)),
            "{name}"
        );
    }
}

async fn send(node: &Node, mutation: &Mutation, (path, body): &(String, String)) -> Reply {
    let (method, _) = mutation.name.split_once(' ').unwrap();
    let kind = if mutation.name == IMPORT {
        "text/csv"
    } else {
        "application/json"
    };
    let headers = [("idempotency-key", mutation.name), ("content-type", kind)];
    node.send(method.parse().unwrap(), path, &headers, body.clone())
        .await
}

story! {
    async fn a_key_takes_effect_once_for_every_kind_of_mutation(world: 2) {
        let (node, replica) = (&world.nodes[0], &world.nodes[1]);
        let mutations = mutations(node).await;
        for (name, _) in operations() {
            assert!(mutations.iter().any(|m| m.name == name), "tell a story of {name}");
        }
        for mutation in mutations {
            let name = mutation.name;
            let first = send(node, &mutation, &mutation.first).await;
            assert!(first.status.is_success(), "{name}: {}", first.text());
            assert_eq!(first.header("idempotency-replayed"), "", "{name}");
            let again = send(replica, &mutation, &mutation.first).await;
            assert_eq!((again.status, again.text()), (first.status, first.text()), "{name}");
            assert_eq!(again.header("idempotency-replayed"), "true", "{name}");
            let before = node.get("/api/links/export").await.text();
            let other = send(node, &mutation, &mutation.other).await;
            assert_eq!(other.status, 422, "{name}: {}", other.text());
            assert_eq!(other.header("content-type"), "application/problem+json", "{name}");
            assert_eq!(node.get("/api/links/export").await.text(), before, "{name}");
        }
        let key = [("idempotency-key", IMPORT), ("content-type", "application/json")];
        let body = json!({"url": "https://a.example"}).to_string();
        let other = node.send(Method::POST, "/api/links", &key, body).await;
        assert_eq!(other.status, 422, "the key of another mutation: {}", other.text());
    }
}
