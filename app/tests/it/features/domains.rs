//! Domains, each with codes of its own.

use http::Method;
use serde_json::json;

use super::{Api, SEEN_EVERYWHERE, is_problem, path_of, text, unique};

pub(crate) async fn each_domain_has_codes_of_its_own(api: &Api) {
    let (code, host) = (format!("d-{}", unique()), format!("{}.example", unique()));
    let help = "https://help.example/";
    let domain = json!({"host": host.to_uppercase(), "not_found_url": help});
    let put = api.put("/api/links/domains", &domain).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(put.json()["host"], json!(host), "in normal form");
    api.create(json!({"url": "https://example.com/default", "code": code}))
        .await;
    let body = json!({"url": "https://example.com/own", "code": code, "domain": host});
    testkit::eventually("the domain is known", SEEN_EVERYWHERE, async || {
        api.post("/api/links", &body).await.status == 201
    })
    .await;
    let link = api.read(&format!("/api/links/{code}?domain={host}")).await;
    assert!(text(&link, "short_url").contains(&host), "{link}");
    let on = async |host: &str, code: &str| {
        let path = format!("/{code}");
        let reply = api.send(Method::GET, &path, &[("host", host)], "").await;
        reply.header("location").to_owned()
    };
    super::everywhere("it leads on", async || {
        on(&host, &code).await == "https://example.com/own"
    })
    .await;
    assert_eq!(
        on("tw.example", &code).await,
        "https://example.com/default",
        "every other host is the default domain"
    );
    super::everywhere("what is not there leads to help", async || {
        on(&host, "none").await == help
    })
    .await;
    let path = format!("/api/links/domains/{host}");
    is_problem(&api.delete(&path).await, 409, "conflict");
    assert_eq!(api.delete(&path_of(&link)).await.status, 200);
    assert_eq!(api.delete(&path).await.status, 200);
    let left = api.read("/api/links/domains").await;
    assert!(!left.to_string().contains(&host), "{left}");
    super::everywhere("it is forgotten", async || {
        on(&host, &code).await == "https://example.com/default"
    })
    .await;
}
