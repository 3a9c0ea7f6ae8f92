//! Making, changing and removing links.

use futures_util::future::join_all;
use http::Method;
use serde_json::json;

use super::{Api, CHROME, is_problem, path_of, text, unique};

pub(crate) async fn bad_targets_are_refused(api: &Api) {
    let too_long = format!("https://example.com/{}", "a".repeat(9_000));
    for bad in [
        "",
        "example.com",
        "javascript:alert(1)",
        "data:text/html,hi",
        "ftp://example.com/",
        "https://user:secret@example.com/",
        "https://example.com/\r\nset-cookie: a=b",
        too_long.as_str(),
    ] {
        let reply = api.post("/api/links", &json!({"url": bad})).await;
        is_problem(&reply, 422, "invalid");
    }
    let slip = api
        .post(
            "/api/links",
            &json!({"url": "https://example.com", "titel": "x"}),
        )
        .await;
    assert!(slip.status.is_client_error());
    assert!(
        slip.text().contains("title"),
        "the nearest name is told: {}",
        slip.text()
    );
    let unread = api
        .send(
            Method::POST,
            "/api/links",
            &[("content-type", "application/json")],
            "{\"url\":",
        )
        .await;
    is_problem(&unread, 400, "bad_request");
}

pub(crate) async fn codes_are_unique_and_reserved_words_refused(api: &Api) {
    let code = format!("own-{}", unique());
    let link = api
        .create(json!({"url": "https://example.com/own", "code": code}))
        .await;
    assert_eq!(text(&link, "code"), code);
    let again = api
        .post(
            "/api/links",
            &json!({"url": "https://example.com/b", "code": code}),
        )
        .await;
    is_problem(&again, 409, "conflict");
    for bad in [
        "api",
        "console",
        "has space",
        "sl/ash",
        "ünïcode",
        &"x".repeat(65),
    ] {
        let reply = api
            .post(
                "/api/links",
                &json!({"url": "https://example.com/c", "code": bad}),
            )
            .await;
        is_problem(&reply, 422, "invalid");
    }
    // Eight at once ask for the same code: one gets it.
    let code = format!("race-{}", unique());
    let wish = json!({"url": "https://example.com/race", "code": code});
    let replies = join_all((0..8).map(|_| api.post("/api/links", &wish))).await;
    assert_eq!(replies.iter().filter(|r| r.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|r| r.status == 409).count(), 7);
}

pub(crate) async fn upsert_finds_by_external_id(api: &Api) {
    let external = format!("crm-{}", unique());
    let first = api
        .put(
            "/api/links/upsert",
            &json!({"url": "https://example.com/v1", "external_id": external}),
        )
        .await;
    assert_eq!(first.status, 201, "{}", first.text());
    let second = api
        .put(
            "/api/links/upsert",
            &json!({"url": "https://example.com/v2", "external_id": external}),
        )
        .await;
    assert_eq!(second.status, 200, "{}", second.text());
    let found = api.read(&format!("/api/links/ext_{external}")).await;
    assert_eq!(text(&found, "url"), "https://example.com/v2");
}

pub(crate) async fn history_can_be_rolled_back(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/one", "title": "first"}))
        .await;
    api.patch(
        &link,
        json!({"url": "https://example.com/two", "title": null}),
    )
    .await;
    api.visit_until(&link, |reply| {
        reply.header("location") == "https://example.com/two"
    })
    .await;
    let history = api.read(&format!("{}/history", path_of(&link))).await;
    assert_eq!(
        history["versions"].as_array().map(Vec::len),
        Some(2),
        "{history}"
    );
    let reply = api
        .post(
            &format!("{}/rollback", path_of(&link)),
            &json!({"version": link["version"]}),
        )
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(text(&reply.json(), "title"), "first");
    api.visit_until(&link, |reply| {
        reply.header("location") == "https://example.com/one"
    })
    .await;
}

pub(crate) async fn a_deleted_link_is_not_found(api: &Api) {
    let link = api.create(json!({"url": "https://example.com/away"})).await;
    assert_eq!(api.visit_as(&link, CHROME).await.status, 302);
    assert!(api.delete(&path_of(&link)).await.status.is_success());
    is_problem(&api.get(&path_of(&link)).await, 404, "not_found");
    api.visit_until(&link, |reply| reply.status == 404).await;
}
