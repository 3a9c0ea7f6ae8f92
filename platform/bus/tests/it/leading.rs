//! One of several relays leads; when it stops, another one takes over.

use std::sync::Arc;

use kernel::{Clock, Ctx, ManualClock, SystemRandom, Timestamp};
use storage::{Db, Lease, Tx};
use testkit::eventually;

use crate::ledger::{Ledger, Published};
use crate::world::{Engine, LONG, NAME, Way, World, options};

async fn holder(world: &World) -> Option<String> {
    let read = async |tx: &mut Tx<'_>| tx.lease_holder("bus.relay").await;
    let lease = world
        .producer
        .read::<_, storage::Error, _>(read)
        .await
        .expect("read");
    lease.map(|lease| lease.holder)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_relay_takes_over_when_the_leading_one_stops() {
    let Some(mut world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    // Whoever stops gives it back; nobody is to lose it because the machine is busy.
    world.lease = LONG;
    let consumer = world.start_consumer(&Ledger::default()).await;
    let first = world.start_producer(&consumer).await;
    eventually("the first leads", LONG, || async {
        holder(&world).await.is_some()
    })
    .await;
    let leader = holder(&world).await;
    let second = world.start_producer(&consumer).await;

    let mut published = Published::default();
    published.publish(&world.producer, 1_000, 50, 100).await;
    world.until_all_applied(&published).await;
    assert_eq!(holder(&world).await, leader, "the second one waits");
    assert_eq!(
        world.counter("bus_duplicates_total"),
        0,
        "only one of them relays"
    );

    first.tasks.shutdown().await;
    published.publish(&world.producer, 1_000, 50, 100).await;
    eventually("the second leads", LONG, || async {
        let now = holder(&world).await;
        now.is_some() && now != leader
    })
    .await;
    world.until_all_applied(&published).await;
    second.tasks.shutdown().await;
    consumer.tasks.shutdown().await;
}

/// Another holder takes a lease by force, as after a pause that outlasted it.
async fn rob(db: &Db, name: &'static str) -> Lease {
    let rob = async move |tx: &mut Tx<'_>| {
        let lease = tx.lease_holder(name).await?.expect("it is held");
        tx.release_lease(&lease).await?;
        tx.claim_lease(name, "a robber", options().lease).await
    };
    let robbed = db.write::<_, storage::Error, _>(rob).await.expect("robbed");
    robbed.expect("nobody else claims it")
}

async fn give_back(db: &Db, lease: Lease) {
    let give_back = async move |tx: &mut Tx<'_>| tx.release_lease(&lease).await;
    let given = db.write::<_, storage::Error, _>(give_back).await;
    assert!(given.expect("given back"), "it was held all the time");
}

/// A clock that stands still: no lease ever ends by it.
fn still() -> (Arc<ManualClock>, Ctx) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
    let ctx = Ctx {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        random: Arc::new(SystemRandom),
    };
    (clock, ctx)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_lease_was_taken_stops() {
    let (clock, ctx) = still();
    let Some(world) = World::at(Engine::Sqlite, Way::Push, ctx).await else {
        return;
    };
    let running = world.start(&Ledger::default()).await;
    let mut published = Published::default();
    published.publish(&world.producer, 100, 10, 100).await;
    world.until_all_applied(&published).await;

    // Even if the clock goes back meanwhile, and makes the relay's own end look far away.
    clock.set(Timestamp::from_secs(990_000));
    let robbed = rob(&world.producer, "bus.relay").await;
    let leads = world
        .metrics
        .gauge("bus_relay_leads", "", &[("producer", "producer")]);
    eventually("it has stopped", LONG, || async { leads.get() == 0 }).await;
    published.publish(&world.producer, 100, 10, 100).await;
    assert_eq!(
        crate::ledger::applied(&world.consumer).await,
        100,
        "nobody carries"
    );

    give_back(&world.producer, robbed).await;
    world.until_all_applied(&published).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_puller_whose_lease_was_taken_stops() {
    let (clock, ctx) = still();
    let Some(world) = World::at(Engine::Sqlite, Way::Nats, ctx).await else {
        return;
    };
    let running = world.start(&Ledger::default()).await;
    let mut published = Published::default();
    published.publish(&world.producer, 100, 10, 100).await;
    world.until_all_applied(&published).await;

    clock.set(Timestamp::from_secs(990_000));
    let robbed = rob(&world.consumer, "bus.pull.producer.ledger.work").await;
    let labels = [("producer", "producer"), ("consumer", NAME)];
    let leads = world.metrics.gauge("bus_pull_leads", "", &labels);
    eventually("it has stopped", LONG, || async { leads.get() == 0 }).await;
    published.publish(&world.producer, 100, 10, 100).await;
    assert_eq!(
        crate::ledger::applied(&world.consumer).await,
        100,
        "nobody pulls"
    );

    give_back(&world.consumer, robbed).await;
    world.until_all_applied(&published).await;
    running.stop().await;
}
