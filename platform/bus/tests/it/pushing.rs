//! A process that takes events and never answers.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Post, Via};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending};
use kernel::{Ctx, Tasks};
use testkit::eventually;
use tokio::net::TcpListener;

use crate::ledger::{Ledger, Published};
use crate::world::{Engine, LONG, NAME, Way, World, options, push_to};

async fn relay(world: &World, via: Via) -> Tasks {
    let tasks = Tasks::new();
    let bus = Bus::new(
        &Ctx::system(),
        world.metrics.clone(),
        tasks.clone(),
        options(),
    );
    let routes = vec![world.route(via)];
    bus.relay(&world.producer, routes).expect("a fine route");
    tasks
}

/// Ports that accept connections, and nothing more.
async fn hung(count: usize) -> Vec<TcpListener> {
    let mut hung = Vec::new();
    for _ in 0..count {
        hung.push(TcpListener::bind("127.0.0.1:0").await.expect("a port"));
    }
    hung
}

fn ports(listeners: &[TcpListener], more: Option<u16>) -> Vec<u16> {
    let port = |l: &TcpListener| l.local_addr().expect("bound").port();
    listeners.iter().map(port).chain(more).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_processes_hang_the_next_one_is_asked() {
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let consumer = world.start_consumer(&Ledger::default()).await;
    let hung = hung(2).await;
    let tasks = relay(&world, push_to(&ports(&hung, consumer.port))).await;
    let mut published = Published::default();
    published.publish(&world.producer, 100, 10, 20).await;
    world.until_all_applied(&published).await;
    tasks.shutdown().await;
    consumer.tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_among_processes_that_hang_goes_on_after_them() {
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let consumer = world.start_consumer(&Ledger::default()).await;
    let hung = hung(5).await;
    let Via::Push { post, .. } = push_to(&ports(&hung, consumer.port)) else {
        panic!("it pushes");
    };
    // There is time for two of them at a time.
    eventually("the last one is reached", LONG, || async {
        let nothing = Bytes::from_static(b"[]");
        let posting = post.post(Arc::from("ledger"), Arc::from(NAME), nothing);
        let posted = tokio::time::timeout(Duration::from_secs(5), posting).await;
        posted.is_ok_and(|posted| posted.is_ok())
    })
    .await;
    consumer.tasks.shutdown().await;
}

struct Silent;

impl Post for Silent {
    fn post(
        &self,
        _service: Arc<str>,
        _consumer: Arc<str>,
        _batch: Bytes,
    ) -> BoxFuture<'_, Result<(), String>> {
        pending().boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_is_measured_while_a_process_hangs_and_forgotten_with_the_lead() {
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let via = Via::Push {
        service: "ledger".to_owned(),
        post: Arc::new(Silent),
    };
    let tasks = relay(&world, via).await;
    let mut published = Published::default();
    published.publish(&world.producer, 100, 10, 100).await;
    let labels = [("producer", world.producer.schema()), ("consumer", NAME)];
    let lag = world.metrics.gauge("bus_lag_events", "", &labels);
    eventually("the lag is seen", LONG, || async { lag.get() == 100 }).await;
    tasks.shutdown().await;
    assert_eq!(lag.get(), 0, "it leads no more");
}
