//! What a visitor of a short URL gets.

use futures_util::future::join_all;
use http::Method;
use serde_json::json;

use super::{Api, CHROME, is_problem, text};

pub(crate) async fn a_link_redirects_and_is_not_cached_for_good(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/story?a=1#part"}))
        .await;
    assert_eq!(text(&link, "code").len(), 7);
    let short = format!("{}/{}", api.client.base(), text(&link, "code"));
    assert_eq!(text(&link, "short_url"), short);
    let reply = api.visit_as(&link, CHROME).await;
    assert_eq!(reply.status, 302);
    assert_eq!(
        reply.header("location"),
        "https://example.com/story?a=1#part"
    );
    assert!(
        reply.header("cache-control").contains("private"),
        "{:?}",
        reply.headers
    );
    // A query of the visit cannot change the target.
    let sent = api
        .send(
            Method::GET,
            &format!("/{}?redir_url=https://evil.example", text(&link, "code")),
            &[],
            "",
        )
        .await;
    assert_eq!(
        sent.header("location"),
        "https://example.com/story?a=1#part"
    );
}

pub(crate) async fn a_link_that_is_switched_off_leads_nowhere(api: &Api) {
    let link = api.create(json!({"url": "https://example.com/off"})).await;
    assert_eq!(api.visit_as(&link, CHROME).await.status, 302, "cached");
    api.patch(&link, json!({"enabled": false})).await;
    api.visit_until(&link, |reply| reply.status == 404).await;
    api.patch(&link, json!({"enabled": true})).await;
    api.visit_until(&link, |reply| reply.status == 302).await;
}

pub(crate) async fn the_query_of_a_visit_is_forwarded_if_the_link_says_so(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/f?own=1#part", "forward_query": true}))
        .await;
    let path = format!("/{}?x=2&url=https://evil.example/", text(&link, "code"));
    assert_eq!(
        api.get(&path).await.header("location"),
        "https://example.com/f?own=1&x=2&url=https://evil.example/#part"
    );
}

pub(crate) async fn the_root_leads_to_the_console(api: &Api) {
    let root = api.get("/").await;
    assert_eq!(root.status, 302);
    assert_eq!(root.header("location"), "/console/");
    assert!(!root.header("x-request-id").is_empty());
    assert_eq!(api.get("/console/").await.status, 200);
}

pub(crate) async fn status_and_cache_header_are_the_links_own(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/moved", "status": 301, "cache_control": "public, max-age=60"}))
        .await;
    let reply = api.visit_as(&link, CHROME).await;
    assert_eq!(reply.status, 301);
    assert_eq!(reply.header("cache-control"), "public, max-age=60");
    let refused = api
        .post(
            "/api/links",
            &json!({"url": "https://example.com", "status": 200}),
        )
        .await;
    is_problem(&refused, 422, "invalid");
}

pub(crate) async fn an_expired_link_is_gone_and_not_missing(api: &Api) {
    let link = api.create(json!({"url": "https://example.com/soon"})).await;
    assert_eq!(
        api.visit_as(&link, CHROME).await.status,
        302,
        "it is cached now"
    );
    api.patch(&link, json!({"expires_at": "2001-01-01T00:00:00Z"}))
        .await;
    api.visit_until(&link, |reply| reply.status == 410).await;
    api.patch(&link, json!({"expired_url": "https://example.com/over"}))
        .await;
    api.visit_until(&link, |reply| {
        reply.header("location") == "https://example.com/over"
    })
    .await;
    let missing = api.get("/nOsUcHcOdE").await;
    assert_eq!(missing.status, 404, "never there is not the same as gone");
}

pub(crate) async fn click_limits_are_exact(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/few", "max_clicks": 20}))
        .await;
    let visits = join_all((0..100).map(|_| api.visit_as(&link, CHROME))).await;
    let redirected = visits.iter().filter(|r| r.status == 302).count();
    let gone = visits.iter().filter(|r| r.status == 410).count();
    assert_eq!((redirected, gone), (20, 80));
}

pub(crate) async fn a_password_is_asked_for_and_guessing_ends(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/secret", "password": "correct horse"}))
        .await;
    assert_eq!(link["has_password"], json!(true));
    assert!(
        !link.to_string().contains("horse"),
        "a password never comes back"
    );
    let asked = api.visit_as(&link, CHROME).await;
    assert_eq!(asked.status, 401, "{}", asked.text());
    assert!(asked.header("location").is_empty());
    assert!(
        !asked.text().contains("example.com/secret"),
        "the form does not tell the target"
    );
    let path = format!("/{}", text(&link, "code"));
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("user-agent", CHROME),
    ];
    let wrong = api.send(Method::POST, &path, &form, "password=wrong").await;
    assert_eq!(wrong.status, 401, "{}", wrong.text());
    assert!(wrong.header("set-cookie").is_empty());
    let right = api
        .send(Method::POST, &path, &form, "password=correct+horse")
        .await;
    assert_eq!(
        right.status,
        303,
        "sent on as a GET, which is the click: {}",
        right.text()
    );
    assert_eq!(right.header("location"), path);
    let cookie = right
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    assert!(!cookie.is_empty() && !cookie.contains("horse"), "{cookie}");
    let again = api
        .visit(
            Method::GET,
            &link,
            &[("cookie", &cookie), ("user-agent", CHROME)],
        )
        .await;
    assert_eq!(again.header("location"), "https://example.com/secret");
    // One wrong guess was made, and the right one uses up nothing; thirty are allowed, on all
    // replicas together.
    let guesses = (0..29).map(|_| api.send(Method::POST, &path, &form, "password=wrong"));
    for guess in join_all(guesses).await {
        assert_eq!(guess.status, 401, "{}", guess.text());
    }
    let late = api
        .send(Method::POST, &path, &form, "password=correct+horse")
        .await;
    assert_eq!(late.status, 429, "even if it is right: {}", late.text());
    assert!(!late.header("retry-after").is_empty());
}

pub(crate) async fn the_preview_page_shows_the_target(api: &Api) {
    let link = api
        .create(json!({"url": "https://example.com/look", "title": "<script>alert(1)</script>"}))
        .await;
    let page = api.get(&format!("/{}+", text(&link, "code"))).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("https://example.com/look"));
    assert!(
        !page.text().contains("<script>alert"),
        "what people write is shown as text"
    );
    assert!(
        page.header("content-security-policy")
            .contains("default-src")
    );
}

pub(crate) async fn qr_codes_are_svg_and_png(api: &Api) {
    let link = api.create(json!({"url": "https://example.com/qr"})).await;
    let base = super::path_of(&link);
    let svg = api.get(&format!("{base}/qr.svg")).await;
    assert_eq!(svg.header("content-type"), "image/svg+xml");
    assert!(svg.text().contains("<svg"));
    let png = api.get(&format!("{base}/qr.png")).await;
    assert_eq!(png.header("content-type"), "image/png");
    assert!(png.body.starts_with(b"\x89PNG\r\n\x1a\n"));
}
