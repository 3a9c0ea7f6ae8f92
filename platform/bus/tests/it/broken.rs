//! What NATS has handed over may never arrive, and it may stand still or be started again: nothing is
//! lost, nothing is applied twice, and each key keeps its order.

use std::sync::Arc;

use storage::{Lease, Tx};
use testkit::eventually;
use tokio::sync::oneshot;

use crate::ledger::{Ledger, Published};
use crate::proxy::Proxy;
use crate::world::{Engine, LONG, Way, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_with_events_in_it_keeps_each_keys_order() {
    let Some(mut world) = World::new(Engine::Sqlite, Way::Nats).await else {
        return;
    };
    let url = world.nats.as_ref().expect("a NATS").url();
    world.proxy = Some(Proxy::to(&url).await);
    let running = world.start(&Ledger::default()).await;
    let proxy = world.proxy.as_ref().expect("a proxy");
    let mut published = Published::default();
    for _ in 0..5 {
        published.publish(&world.producer, 100, 20, 20).await;
        world.until_applied(published.count).await;
        proxy.swallow(10_000);
        published.publish(&world.producer, 2_000, 20, 100).await;
        eventually("the connection breaks", LONG, || async { proxy.is_sated() }).await;
        world.until_all_applied(&published).await;
    }
    running.stop().await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_that_stands_still_or_is_started_again_keeps_each_keys_order() {
    let Some(mut world) = World::new(Engine::Sqlite, Way::Nats).await else {
        return;
    };
    let running = world.start(&Ledger::default()).await;
    let mut published = Published::default();
    for round in 0..4 {
        published.publish(&world.producer, 5_000, 20, 100).await;
        world.until_applied(published.count - 4_000).await;
        let before = world.replays();
        let nats = world.nats.as_mut().expect("a NATS");
        if round % 2 == 0 {
            nats.kill();
            nats.start_again().await;
        } else {
            nats.pause();
            published.publish(&world.producer, 1_000, 20, 100).await;
            eventually("the relay notices", LONG, || async {
                world.replays() > before
            })
            .await;
            world.nats.as_ref().expect("a NATS").resume();
        }
        world.until_all_applied(&published).await;
    }
    running.stop().await;
}

const LEASE: &str = "bus.pull.producer.ledger.work";

async fn puller(world: &World) -> Option<Lease> {
    let read = async |tx: &mut Tx<'_>| tx.lease_holder(LEASE).await;
    let lease = world.consumer.read::<_, storage::Error, _>(read).await;
    lease.expect("read")
}

/// Waits until NATS keeps nothing, because everything is acknowledged.
async fn until_acknowledged(world: &World) {
    let url = world.nats.as_ref().expect("a NATS").url();
    let client = async_nats::connect(url).await.expect("connected");
    let jetstream = async_nats::jetstream::new(client);
    eventually("everything is acknowledged", LONG, || async {
        let stream = jetstream.get_stream("tradewind_producer_to_ledger-work");
        let stream = stream.await.expect("it is there");
        stream.cached_info().state.messages == 0
    })
    .await;
}

/// A consumer's process that can stand still as a whole.
struct Stopped {
    stop: oneshot::Sender<()>,
    go_on: std::sync::mpsc::Sender<()>,
    end: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

fn stoppable(world: &Arc<World>) -> Stopped {
    let world = Arc::clone(world);
    let (stop, stopped) = oneshot::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel();
    let (end, ended) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let process = world.start_consumer(&Ledger::default()).await;
            let _ = stopped.await;
            // Its one thread waits here, with every connection open.
            let _ = goes_on.recv();
            let _ = ended.await;
            process.tasks.shutdown().await;
        });
    });
    Stopped {
        stop,
        go_on,
        end,
        thread,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stood_still_while_another_took_over_changes_no_order() {
    let Some(world) = World::new(Engine::Sqlite, Way::Nats).await else {
        return;
    };
    let world = Arc::new(world);
    let first = stoppable(&world);
    eventually("the first pulls", LONG, || async {
        puller(&world).await.is_some()
    })
    .await;
    let before = puller(&world).await.expect("it pulls");
    // The relay needs to know nothing of the consumer's process but NATS.
    let nobody = crate::world::Process::nobody();
    let producer = world.start_producer(&nobody).await;
    let mut published = Published::default();
    published.publish(&world.producer, 100, 7, 20).await;
    world.until_all_applied(&published).await;
    until_acknowledged(&world).await;

    // Seven keys: of each, every second event would go to either of two that pull.
    // It stands still while it waits for events, for longer than its lease.
    first.stop.send(()).expect("it runs");
    let holder = before.holder.clone();
    let run_out = async move |tx: &mut Tx<'_>| {
        if let Some(lease) = tx.lease_holder(LEASE).await? {
            tx.release_lease(&lease).await?;
        }
        Ok::<_, storage::Error>(())
    };
    let second = world.start_consumer(&Ledger::default()).await;
    eventually("the second pulls", LONG, || async {
        if puller(&world).await.is_some_and(|l| l.holder == holder) {
            world.consumer.write(run_out).await.expect("run out");
        }
        puller(&world).await.is_some_and(|l| l.holder != holder)
    })
    .await;
    for _ in 0..10 {
        published.publish(&world.producer, 100, 7, 20).await;
        world.until_applied(published.count).await;
    }
    first.go_on.send(()).expect("it stands still");
    published.publish(&world.producer, 1_000, 7, 20).await;
    world.until_all_applied(&published).await;

    first.end.send(()).expect("it runs");
    second.tasks.shutdown().await;
    producer.tasks.shutdown().await;
    tokio::task::spawn_blocking(|| first.thread.join())
        .await
        .expect("joined")
        .expect("it ended well");
}
