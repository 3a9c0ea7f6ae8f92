//! Redirects: where they lead, what they say, what counts.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::world::{GOOGLE, LAPTOP, PHONE, story};

story! {
    async fn a_link_leads_to_its_target_and_the_visit_counts(world: 1) {
        let node = world.node();
        let made = node.json(Method::POST, "/api/links", json!({"url": "https://a.example/x"})).await;
        assert_eq!(made.status, 201);
        let link = made.json();
        let code = link["code"].as_str().unwrap();
        assert_eq!(link["short_url"], format!("http://tw.example/{code}"));
        assert_eq!(made.header("location"), format!("/api/links/{}", link["id"].as_str().unwrap()));
        let path = format!("/{code}");
        for _ in 0..3 {
            let visit = node.get(&path).await;
            assert_eq!((visit.status.as_u16(), visit.header("location")), (302, "https://a.example/x"));
        }
        assert_eq!(node.stats(code).await["total_clicks"], 3);
    }
}

story! {
    async fn u6_a_redirect_is_not_kept_for_ever_unless_the_link_says_so(world: 1) {
        let node = world.node();
        let usual = node.path_of(json!({"url": "https://a.example"})).await;
        let usual = node.get(&usual).await;
        assert_eq!((usual.status.as_u16(), usual.header("cache-control")), (302, "private, max-age=0"));
        let moved = node.path_of(json!({"url": "https://a.example", "status": 301})).await;
        let moved = node.get(&moved).await;
        assert_eq!((moved.status.as_u16(), moved.header("cache-control")), (301, "private, max-age=90"));
        let own = json!({"url": "https://a.example", "status": 307, "cache_control": "public, max-age=60"});
        let own = node.get(&node.path_of(own).await).await;
        assert_eq!((own.status.as_u16(), own.header("cache-control")), (307, "public, max-age=60"));
        let limited = json!({"url": "https://a.example", "max_clicks": 5, "cache_control": "public, max-age=60"});
        let limited = node.get(&node.path_of(limited).await).await;
        assert_eq!(limited.header("cache-control"), "private, no-store");
    }
}

story! {
    async fn u5_a_link_ends_at_its_very_moment_cached_or_not(world: 1) {
        let node = world.node();
        let ending = json!({"url": "https://a.example", "expires_at": "2026-11-23T12:00:01Z"});
        let path = node.path_of(ending).await;
        let elsewhere = json!({"url": "https://a.example", "expires_at": "2026-11-23T12:00:01Z",
            "expired_url": "https://b.example/over"});
        let elsewhere = node.path_of(elsewhere).await;
        world.clock.advance(Duration::from_millis(999));
        assert_eq!(node.get(&path).await.status, 302);
        assert_eq!(node.get(&path).await.status, 302, "now from the cache");
        world.clock.advance(Duration::from_millis(2));
        let cached = node.get(&path).await;
        assert_eq!(cached.status, 410, "not 404");
        assert_eq!(node.get(&elsewhere).await.header("location"), "https://b.example/over");
        node.set("cache", "none");
        assert_eq!(node.get(&path).await.status, 410);
        let asks_json = node.send(Method::GET, &path, &[("accept", "application/json")], "").await;
        assert_eq!(asks_json.json()["code"], "gone");
    }
}

story! {
    async fn rules_send_visitors_by_device_language_and_time_and_explain_says_why(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example/", "rules": [
            {"devices": ["android"], "url": "https://android.example/"},
            {"devices": ["mobile"], "languages": ["de"], "url": "https://de.example/", "name": "Germans"},
            {"until": "2026-11-23T13:00:00Z", "languages": ["fr"], "url": "https://early.example/"}
        ]})).await;
        let visit = async |agent: &str, language: &str| {
            let headers = [("user-agent", agent), ("accept-language", language)];
            node.send(Method::GET, &path, &headers, "").await.header("location").to_owned()
        };
        assert_eq!(visit(PHONE, "de-AT, en;q=0.8").await, "https://de.example/");
        assert_eq!(visit(PHONE, "en, de;q=0.8").await, "https://a.example/");
        assert_eq!(visit(LAPTOP, "fr").await, "https://early.example/");
        assert_eq!(node.stats(&path).await["total_clicks"], 3);
        world.clock.advance(Duration::from_secs(3_600));
        assert_eq!(visit(LAPTOP, "fr").await, "https://a.example/");
        let asked = json!({"agent": PHONE, "language": "de", "time": "2026-11-23T12:30:00Z"});
        let why = node.json(Method::POST, &format!("/api/links{path}/explain"), asked).await.json();
        assert_eq!((why["outcome"].as_str(), why["rule"].as_u64()), (Some("redirect"), Some(1)));
        assert_eq!(why["location"], "https://de.example/");
        let steps = why["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 4 + 3, "{why}");
        assert_eq!(steps[4]["reason"], "the device is ios, the rule asks for android");
        assert_eq!(steps[5]["step"], "rule 1 (Germans)");
        assert_eq!(steps[6]["reason"], "rule 1 fired before it");
        assert_eq!(node.stats(&path).await["total_clicks"], 4, "explaining counts nothing");
    }
}

story! {
    async fn u11_bots_and_head_are_answered_and_stand_apart(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example"})).await;
        let visit = async |method: Method, agent: &str| {
            node.send(method, &path, &[("user-agent", agent)], "").await
        };
        assert_eq!(visit(Method::GET, LAPTOP).await.status, 302);
        assert_eq!(visit(Method::GET, GOOGLE).await.status, 302);
        assert_eq!(visit(Method::GET, "Slackbot-LinkExpanding 1.0").await.status, 302);
        let head = visit(Method::HEAD, LAPTOP).await;
        assert_eq!((head.status.as_u16(), head.header("location")), (302, "https://a.example/"));
        let stats = node.stats(&path).await;
        assert_eq!((&stats["total_clicks"], &stats["bots"], &stats["heads"]), (&json!(1), &json!(2), &json!(1)));
    }
}

story! {
    async fn a_switched_off_link_answers_404_until_it_is_switched_on(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example", "enabled": false})).await;
        assert_eq!(node.get(&path).await.status, 404);
        node.patch(&path, json!({"enabled": true})).await;
        assert_eq!(node.get(&path).await.status, 302);
        node.patch(&path, json!({"enabled": false})).await;
        assert_eq!(node.get(&path).await.status, 404);
    }
}

story! {
    async fn a_query_is_forwarded_only_if_the_link_says_so(world: 1) {
        let node = world.node();
        let plain = node.path_of(json!({"url": "https://a.example/p?own=1"})).await;
        let reply = node.get(&format!("{plain}?x=2")).await;
        assert_eq!(reply.header("location"), "https://a.example/p?own=1");
        let forwards = json!({"url": "https://a.example/p?own=1#f", "forward_query": true});
        let forwards = node.path_of(forwards).await;
        let reply = node.get(&format!("{forwards}?x=2&url=https://evil.example/")).await;
        assert_eq!(reply.header("location"), "https://a.example/p?own=1&x=2&url=https://evil.example/#f");
    }
}

story! {
    async fn what_is_no_link_is_counted_by_kind_and_path(world: 1) {
        let node = world.node();
        for path in ["/", "/nothere", "/nothere", "/wp-admin/setup.php", "/favicon.ico", "/robots.txt"] {
            node.get(path).await;
        }
        let page = node.get("/nothere").await;
        assert_eq!(page.status, 404);
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        let orphans = node.get("/api/links/orphans").await.json();
        assert_eq!(orphans["base_url"], 1);
        assert_eq!(orphans["unknown_code"], 3);
        assert_eq!(orphans["other_path"], 1);
        assert_eq!(orphans["paths"][0], json!({"name": "/nothere", "clicks": 3}));
    }
}

story! {
    async fn several_domains_have_codes_of_their_own(world: 2) {
        let node = world.node();
        let put = json!({"host": "Go.Bücher.example", "not_found_url": "https://help.example/"});
        let domain = node.json(Method::PUT, "/api/links/domains", put).await.json();
        let host = domain["host"].as_str().unwrap();
        assert_eq!(host, "go.xn--bcher-kva.example");
        node.make(json!({"url": "https://one.example/", "code": "sale"})).await;
        let other = json!({"url": "https://two.example/", "code": "sale", "domain": "go.bücher.example"});
        let other = node.make(other).await;
        assert_eq!(other["short_url"], format!("http://{host}/sale"));
        let on = async |host: &str, path: &str| {
            let reply = world.nodes[1].send(Method::GET, path, &[("host", host)], "").await;
            reply.header("location").to_owned()
        };
        assert_eq!(on("tw.example", "/sale").await, "https://one.example/");
        assert_eq!(on("GO.xn--bcher-kva.example:8080", "/sale").await, "https://two.example/");
        assert_eq!(on("GO.xn--bcher-kva.example:8080", "/sale").await, "https://two.example/");
        assert_eq!(on(host, "/none").await, "https://help.example/");
        let used = node.send(Method::DELETE, &format!("/api/links/domains/{host}"), &[], "").await;
        assert_eq!(used.status, 409);
        let by_code = node.get(&format!("/api/links/sale?domain={host}")).await.json();
        assert_eq!(by_code["id"], other["id"]);
    }
}

story! {
    async fn a_preview_shows_where_a_link_leads_and_counts_nothing(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example/?x=1&y=2", "title": "A <b>"})).await;
        let page = node.get(&format!("{path}+")).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("https://a.example/?x=1&amp;y=2"), "{}", page.text());
        assert!(page.text().contains("A &lt;b&gt;") && !page.text().contains("A <b>"));
        assert_eq!(node.stats(&path).await["total_clicks"], 0);
        let hidden = json!({"url": "https://secret.example", "password": "p"});
        let hidden = node.path_of(hidden).await;
        assert!(!node.get(&format!("{hidden}+")).await.text().contains("secret.example"));
    }
}
