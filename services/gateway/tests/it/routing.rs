//! Where requests go.

use std::sync::Arc;

use gateway::{Config, Deps, Route};
use http::{Method, StatusCode};
use kernel::Ctx;
use mesh::discovery::StaticDiscovery;
use telemetry::Telemetry;
use web::{Body, Ingress, Keys, Request, Response, RouteSpec, from_fn};

use crate::world::{SERVICE, World};

fn says(text: &'static str) -> Arc<dyn web::Handler> {
    from_fn(move |_| async move { Response::new(Body::from(text)) })
}

#[tokio::test]
async fn host_and_path_choose_the_service_and_routes_change_live() {
    let world = World::with_replicas(1).await;
    let on_host = RouteSpec {
        host: Some("go.example".to_owned()),
        ..RouteSpec::any_host("/", "go")
    };
    let routes = vec![
        Route::local(on_host, says("go")),
        Route::local(RouteSpec::any_host("/api", "api"), says("api")),
        Route::remote(RouteSpec::any_host("/x", SERVICE)),
    ];
    world.gateway.set_routes(routes).unwrap();
    assert_eq!(world.get("/api/things").await.text(), "api");
    assert_eq!(world.get("/x/y?z=1").await.json()["path"], "/x/y?z=1");
    let there = world
        .get_with("/api/things", &[("host", "GO.example:80")])
        .await;
    assert_eq!(there.text(), "go");
    let nowhere = world.get("/elsewhere").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert_eq!(nowhere.header("content-type"), "application/problem+json");
    assert_eq!(nowhere.json()["code"], "not_found");

    world
        .gateway
        .set_routes(vec![Route::local(
            RouteSpec::any_host("/", "all"),
            says("all"),
        )])
        .unwrap();
    assert_eq!(world.get("/api/things").await.text(), "all");
}

#[test]
fn a_local_route_opens_no_socket() {
    // This runtime has no reactor: whoever opens a socket or sets a timer on it panics.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let ctx = Ctx::system();
    let deps = Deps {
        telemetry: Telemetry::quiet(),
        ingress: Ingress::new(Keys::none(), &*ctx.random),
        discovery: Arc::new(StaticDiscovery::new()),
        faults: faults::Faults::default(),
        cluster: None,
        ctx,
    };
    let parts = gateway::build(Config::default(), deps);
    let route = Route::local(RouteSpec::any_host("/", "here"), says("here"));
    parts.gateway.set_routes(vec![route]).unwrap();
    let mut request = Request::new(Body::Empty);
    *request.uri_mut() = "/x".parse().unwrap();
    let response = runtime.block_on(parts.gateway.handler().call(request));
    let body = runtime
        .block_on(web::read_body(response.into_body(), 10))
        .unwrap();
    assert_eq!(body, "here");
}

#[tokio::test]
async fn paths_that_mean_another_path_are_refused() {
    let world = World::with_replicas(1).await;
    for path in ["/a/../b", "/a/%2e%2e/b"] {
        let mut raw = world.connect().await;
        raw.say(&format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ))
        .await;
        assert!(raw.hear_all().await.starts_with("HTTP/1.1 400"), "{path}");
    }
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn methods_and_bodies_reach_the_service_whole() {
    let world = World::with_replicas(1).await;
    let big = "y".repeat(300_000);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = world
            .client
            .send(method.clone(), "/b", &[], big.clone())
            .await
            .unwrap();
        let echo = reply.json();
        assert_eq!(echo["method"], method.as_str());
        assert_eq!(echo["body"].as_str().map(str::len), Some(big.len()));
    }
}

#[tokio::test]
async fn the_balancer_is_a_knob() {
    let world = World::with_replicas(3).await;
    world.knobs.set("balancer", "round_robin").unwrap();
    for _ in 0..30 {
        world.get("/x").await;
    }
    let shares: Vec<usize> = world.replicas.iter().map(|r| r.requests()).collect();
    assert_eq!(shares, [10, 10, 10]);
    world.knobs.set("balancer", "consistent_hash").unwrap();
    for _ in 0..30 {
        world.get("/x").await;
    }
    let mut more: Vec<usize> = world
        .replicas
        .iter()
        .zip(shares)
        .map(|(r, before)| r.requests() - before)
        .collect();
    more.sort_unstable();
    assert_eq!(more, [0, 0, 30], "one client stays on one replica");
}
