//! Passwords: kept as argon2id, guessed thirty times, remembered by a token that says nothing.

use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::world::{Node, Reply, client, story};

async fn post(node: &Node, from: u8, path: &str, password: &str) -> Reply {
    post_from(node, client(from), path, password).await
}

async fn post_from(node: &Node, from: IpAddr, path: &str, password: &str) -> Reply {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("password={password}");
    node.send_from(from, Method::POST, path, &form, body).await
}

fn cookie(reply: &Reply) -> String {
    reply
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned()
}

story! {
    async fn u7_the_store_holds_argon2id_only(world: 1) {
        let node = world.node();
        let made = node.make(json!({"url": "https://a.example", "password": "open sesame"})).await;
        assert_eq!(made["has_password"], true);
        assert!(!made.to_string().contains("sesame"));
        let all = async |tx: &mut storage::Tx<'_>| {
            let mut dump = Vec::new();
            for table in ["links", "link_versions", "platform_outbox", "platform_idempotency", "secrets"] {
                dump.extend(tx.query_dyn(&format!("SELECT * FROM {table}"), &[]).await?);
            }
            Ok::<_, storage::Error>(format!("{dump:?}"))
        };
        let key = [("idempotency-key", "k1")];
        node.json_with(Method::POST, "/api/links", &key, json!({"url": "https://b.example", "password": "open sesame"})).await;
        let id = made["id"].as_str().unwrap();
        node.patch(id, json!({"password": "open sesame 2"})).await;
        let dump = node.db.read(all).await.unwrap();
        assert!(dump.contains("$argon2id$") && dump.contains("https://a.example"));
        assert!(!dump.contains("sesame"), "{dump}");
    }
}

story! {
    async fn a_right_password_gives_an_opaque_pass_that_every_node_takes(world: 2) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example/", "password": "geheim"})).await;
        let asked = node.get(&path).await;
        assert_eq!(asked.status, 401);
        assert!(asked.text().contains("<form method=\"post\"") && !asked.text().contains("a.example"));
        assert!(asked.header("content-security-policy").starts_with("default-src 'none'"));
        let wrong = post(node, 1, &path, "falsch").await;
        assert_eq!((wrong.status.as_u16(), wrong.header("set-cookie")), (401, ""));
        let right = post(node, 1, &path, "geheim").await;
        assert_eq!((right.status.as_u16(), right.header("location")), (303, path.as_str()));
        let attributes = right.header("set-cookie").to_owned();
        assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"));
        assert!(!attributes.contains("geheim") && !attributes.contains("argon2"));
        let pass = cookie(&right);
        let with = async |node: &Node, pass: &str| {
            node.send(Method::GET, &path, &[("cookie", pass)], "").await.status.as_u16()
        };
        assert_eq!(with(&world.nodes[1], &pass).await, 302);
        let last = if pass.ends_with('A') { "B" } else { "A" };
        let forged = format!("{}{last}", &pass[..pass.len() - 1]);
        assert_eq!(with(node, &forged).await, 401);
        testkit::eventually("only the redirect counts", Duration::from_secs(60), async || {
            node.stats(&path).await["total_clicks"] == 1
        })
        .await;
        node.patch(&path, json!({"password": "neu"})).await;
        assert_eq!(with(node, &pass).await, 401, "a new password ends every pass");
        let fresh = cookie(&post(node, 1, &path, "neu").await);
        world.clock.advance(Duration::from_secs(3_601));
        assert_eq!(with(node, &fresh).await, 401, "a pass ends after an hour");
    }
}

story! {
    async fn u7_guess_31_is_refused_even_if_it_is_right_on_any_node(world: 3) {
        let path = world.node().path_of(json!({"url": "https://a.example/", "password": "right"})).await;
        let tasks = kernel::Tasks::new();
        let world = std::sync::Arc::new(world);
        let guesses: Vec<_> = (0..30)
            .map(|n| {
                let (world, path) = (std::sync::Arc::clone(&world), path.clone());
                tasks.spawn(async move { post(&world.nodes[n % 3], 1, &path, "wrong").await.status })
            })
            .collect();
        for guess in guesses {
            assert_eq!(guess.await.unwrap(), 401);
        }
        let refused = post(&world.nodes[1], 1, &path, "right").await;
        assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (429, ""));
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
        assert_eq!(post(&world.nodes[1], 2, &path, "right").await.status, 303, "another address");
        world.clock.advance(Duration::from_secs(901));
        assert_eq!(post(&world.nodes[2], 1, &path, "right").await.status, 303, "another window");
    }
}

story! {
    async fn u7_the_addresses_of_one_ipv6_network_share_its_thirty_guesses(world: 2) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example/", "password": "right"})).await;
        let house = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, n, n, n, n]);
        for n in 0..30 {
            let node = &world.nodes[usize::from(n % 2)];
            assert_eq!(post_from(node, house(n), &path, "wrong").await.status, 401);
        }
        assert_eq!(post_from(node, house(30), &path, "right").await.status, 429);
        let neighbour = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, 1]);
        assert_eq!(post_from(node, neighbour, &path, "right").await.status, 303);
        world.clock.advance(Duration::from_secs(901));
        assert_eq!(post_from(node, house(31), &path, "right").await.status, 303, "another window");
    }
}

/// As if wrong guesses had come from many networks.
async fn guessed_by_all(node: &Node, guesses: i64) {
    let sql = "UPDATE password_guesses SET guesses = $1 WHERE length(address) = 0";
    let set = async move |tx: &mut storage::Tx<'_>| tx.execute_dyn(sql, &[&guesses]).await;
    let rows = node.db.write::<_, storage::Error, _>(set).await.unwrap();
    assert_eq!(rows, 1, "guesses of all networks are counted together");
}

story! {
    async fn u7_guesses_from_many_networks_end_for_all_until_the_window_does(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example/", "password": "right"})).await;
        let before = cookie(&post(node, 1, &path, "right").await);
        assert_eq!(post(node, 2, &path, "wrong").await.status, 401);
        guessed_by_all(node, 9_998).await;
        for _ in 0..3 {
            assert_eq!(post(node, 3, &path, "right").await.status, 303, "a right one uses up nothing");
        }
        assert_eq!(post(node, 3, &path, "wrong").await.status, 401);
        assert_eq!(post(node, 4, &path, "wrong").await.status, 401, "the last one");
        let refused = post(node, 5, &path, "right").await;
        assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (429, ""));
        let opened = node.send(Method::GET, &path, &[("cookie", &before)], "").await;
        assert_eq!(opened.status, 302, "who was let in before comes in");
        let other = node.path_of(json!({"url": "https://b.example/", "password": "right"})).await;
        assert_eq!(post(node, 5, &other, "right").await.status, 303, "another link");
        world.clock.advance(Duration::from_secs(901));
        assert_eq!(post(node, 5, &path, "right").await.status, 303, "another window");
    }
}

story! {
    async fn u7_who_is_refused_uses_up_nothing_of_what_all_have_together(world: 1) {
        let node = world.node();
        let path = node.path_of(json!({"url": "https://a.example/", "password": "right"})).await;
        for n in 0..40 {
            let expected = if n < 30 { 401 } else { 429 };
            assert_eq!(post(node, 1, &path, "wrong").await.status, expected, "guess {n}");
        }
        let of_all = "SELECT guesses FROM password_guesses WHERE length(address) = 0";
        assert_eq!(node.number(of_all).await, 30);
    }
}
