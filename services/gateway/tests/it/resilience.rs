//! Replicas that die, stall, fail or leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use testkit::eventually;
use tokio::task::JoinSet;

use crate::world::{Setup, World};

const SOON: Duration = Duration::from_secs(60);

/// Clients that GET without a pause until told to stop; answers how many saw what.
struct Load {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicUsize>,
    clients: JoinSet<Vec<String>>,
}

impl Load {
    fn on(world: &World, clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let good = Arc::new(AtomicUsize::new(0));
        let mut set = JoinSet::new();
        for _ in 0..clients {
            let (client, stop, good) = (world.client.clone(), Arc::clone(&stop), Arc::clone(&good));
            set.spawn(async move {
                let mut failures = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    match client.get("/load").await {
                        Ok(reply) if reply.status == StatusCode::OK => {
                            good.fetch_add(1, Ordering::SeqCst);
                        }
                        Ok(reply) => failures.push(format!("{}: {}", reply.status, reply.text())),
                        Err(error) => failures.push(format!("{error:#}")),
                    }
                }
                failures
            });
        }
        Self {
            stop,
            good,
            clients: set,
        }
    }

    async fn reaches(&self, more: usize) {
        let goal = self.good.load(Ordering::SeqCst) + more;
        let reached = || async { self.good.load(Ordering::SeqCst) >= goal };
        eventually("the load goes on", SOON, reached).await;
    }

    async fn failures(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        while let Some(failures) = self.clients.join_next().await {
            all.extend(failures.unwrap());
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_under_load_costs_no_idempotent_request() {
    let world = World::with_replicas(3).await;
    let load = Load::on(&world, 16);
    load.reaches(500).await;
    world.replicas[1].kill();
    load.reaches(1_000).await;
    assert_eq!(load.failures().await, Vec::<String>::new());
    assert!(world.replicas[1].requests() > 0, "it had its share before");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_retries_the_same_kill_is_seen() {
    // Shows that the test above would notice.
    let mut setup = Setup::default();
    setup.config.upstream.retry.attempts = 1;
    let world = World::start(3, setup).await;
    let load = Load::on(&world, 16);
    load.reaches(500).await;
    world.replicas[1].kill();
    load.reaches(1_000).await;
    assert_ne!(load.failures().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_request_that_nobody_took_is_sent_elsewhere_whatever_its_method() {
    let world = World::with_replicas(2).await;
    world.replicas[0].kill();
    for n in 0..20 {
        let reply = world
            .client
            .send(Method::POST, "/x", &[], format!("body {n}"))
            .await
            .unwrap();
        assert_eq!(reply.json()["body"], format!("body {n}"));
    }
    assert_eq!(world.replicas[1].requests(), 20, "each arrived once");
}

#[tokio::test]
async fn a_request_that_may_have_taken_effect_is_not_sent_twice() {
    let world = World::with_replicas(2).await;
    let reply = world
        .client
        .send(Method::POST, "/break", &[], "once")
        .await
        .unwrap();
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert_eq!(reply.json()["code"], "bad_gateway");
    assert!(reply.text().contains("'demo'"), "{}", reply.text());
    assert!(
        !reply.text().contains("127.0.0.1"),
        "no addresses: {}",
        reply.text()
    );
    assert_eq!(world.requests(), 1);
    for (method, body) in [(Method::POST, ""), (Method::PUT, "its body is gone")] {
        let before = world.requests();
        let sending = world.client.send(method.clone(), "/break", &[], body);
        assert_eq!(sending.await.unwrap().status, StatusCode::BAD_GATEWAY);
        assert_eq!(world.requests(), before + 1, "{method} '{body}'");
    }
    let before = world.requests();
    assert_eq!(world.get("/break").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(world.requests(), before + 3, "a GET was tried three times");
    let seen = |r: &crate::world::Replica| r.requests() > 0;
    assert!(world.replicas.iter().all(seen), "on both of them");
}

#[tokio::test]
async fn ejection_works_with_two_to_five_replicas() {
    for count in 2..=5 {
        let world = World::with_replicas(count).await;
        world.knobs.set("balancer", "round_robin").unwrap();
        world.get("/x").await;
        // One fails: it is taken out. Then all but one fail: half must stay.
        *world.replicas[0].state.status.lock() = Some(StatusCode::INTERNAL_SERVER_ERROR);
        for _ in 0..20 * count {
            world.get("/x").await;
        }
        assert_eq!(
            world.rotation().iter().filter(|i| !**i).count(),
            1,
            "of {count}"
        );
        assert!(!world.rotation()[0]);
        let views = world.gateway.upstreams();
        let why = views[0].balancer.endpoints[0]
            .why_out
            .clone()
            .unwrap_or_default();
        assert!(why.contains("failed"), "{why}");
        for replica in &world.replicas[1..count - 1] {
            *replica.state.status.lock() = Some(StatusCode::INTERNAL_SERVER_ERROR);
        }
        for _ in 0..20 * count {
            world.get("/x").await;
        }
        let left = world.rotation().into_iter().filter(|i| *i).count();
        assert!(left >= count.div_ceil(2), "{left} of {count}");
    }
}

#[tokio::test]
async fn health_checks_take_a_replica_out_and_back() {
    let mut setup = Setup::default();
    setup.config.health.active = true;
    setup.config.health.interval_ms = 20;
    let world = World::start(2, setup).await;
    *world.replicas[0].state.unready.lock() = true;
    eventually("it is out", SOON, || async {
        world.rotation() == [false, true]
    })
    .await;
    let before = world.replicas[0].requests();
    for _ in 0..20 {
        assert_eq!(world.get("/x").await.status, StatusCode::OK);
    }
    assert_eq!(world.replicas[0].requests(), before);
    *world.replicas[0].state.unready.lock() = false;
    eventually("it is back", SOON, || async {
        world.rotation() == [true, true]
    })
    .await;
    world.drain().await;
}

#[tokio::test]
async fn nobody_there_is_a_503_and_nobody_reachable_a_502() {
    let world = World::with_replicas(1).await;
    world.replicas[0].kill();
    let reply = world.get("/x").await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (StatusCode::BAD_GATEWAY, "1")
    );
    assert_eq!(reply.json()["retryable"], true);
    world.discovery.set(crate::world::SERVICE, []);
    let reply = world.get("/x").await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "1")
    );
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_a_504() {
    let mut setup = Setup::default();
    setup.config.upstream.timeout_ms = 50;
    let world = World::start(1, setup).await;
    let reply = world.get("/hold").await;
    assert_eq!(reply.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(reply.json()["code"], "deadline_exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_finishes_what_is_in_flight_and_takes_no_more() {
    let world = World::with_replicas(1).await;
    let mut idle = world.connect().await;
    idle.say("GET /x HTTP/1.1\r\nhost: a\r\n\r\n").await;
    idle.hear_until("}").await;
    let mut busy = world.connect().await;
    busy.say("GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let held = || async { world.replicas[0].paths().contains(&"/hold".to_owned()) };
    eventually("the request has arrived", SOON, held).await;

    let (addr, state) = (world.addr, Arc::clone(&world.replicas[0].state));
    let replicas = world.replicas.len();
    let drain = kernel::Tasks::new().spawn(world.drain());
    assert_eq!(idle.hear_all().await, "", "an idle connection is closed");
    let refused = || async { tokio::net::TcpStream::connect(addr).await.is_err() };
    eventually("new connections are refused", SOON, refused).await;
    assert!(
        !drain.is_finished(),
        "{replicas} replica is still answering"
    );
    state.release.notify_one();
    let answer = busy.hear_all().await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(drain.await.unwrap().cut, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_cuts_what_does_not_end() {
    let mut setup = Setup::default();
    setup.config.limits.drain_ms = 50;
    let world = World::start(1, setup).await;
    let mut stuck = world.connect().await;
    stuck.say("GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let held = || async { world.replicas[0].paths().contains(&"/hold".to_owned()) };
    eventually("the request has arrived", SOON, held).await;
    assert_eq!(world.drain().await.cut, 1);
    assert_eq!(stuck.hear_all().await, "");
}

#[tokio::test]
async fn a_replica_is_told_that_another_one_was_asked_before() {
    let setup = Setup {
        cluster: Some("the-secret"),
        ..Setup::default()
    };
    let world = World::start(2, setup).await;
    let usual = world.echoed(&[("x-tradewind-again", "1")]).await;
    assert!(usual.get("x-tradewind-again").is_none(), "{usual}");
    let before: Vec<usize> = world.replicas.iter().map(|r| r.requests()).collect();
    let client = world.client.clone();
    let held = kernel::Tasks::new().spawn(async move { client.get("/hold").await });
    let asked = |n: usize| world.replicas[n].requests() > before[n];
    eventually("one is asked", SOON, async || asked(0) || asked(1)).await;
    let (first, second) = if asked(0) { (0, 1) } else { (1, 0) };
    world.replicas[first].kill();
    eventually("the other one is asked", SOON, async || asked(second)).await;
    world.replicas[second].state.release.notify_one();
    let got = held.await.unwrap().unwrap().json()["headers"].clone();
    assert_eq!(got["x-tradewind-again"], "1", "{got}");
    assert!(got["traceparent"].is_string(), "the number of the request");
}
