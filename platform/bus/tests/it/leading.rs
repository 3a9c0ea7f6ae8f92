//! One of several relays leads; when it stops, another one takes over.

use std::time::Duration;

use storage::Tx;
use testkit::eventually;

use crate::ledger::{Ledger, Published};
use crate::world::{Engine, LONG, Way, World};

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
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
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
    eventually("the second leads", Duration::from_secs(20), || async {
        let now = holder(&world).await;
        now.is_some() && now != leader
    })
    .await;
    world.until_all_applied(&published).await;
    second.tasks.shutdown().await;
    consumer.tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_lease_was_taken_stops() {
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let running = world.start(&Ledger::default()).await;
    let mut published = Published::default();
    published.publish(&world.producer, 100, 10, 100).await;
    world.until_all_applied(&published).await;

    // Another holder takes the lease by force, as after a pause that outlasted it.
    let rob = async |tx: &mut Tx<'_>| {
        let lease = tx.lease_holder("bus.relay").await?.expect("it is held");
        tx.release_lease(&lease).await?;
        tx.claim_lease("bus.relay", "a robber", Duration::from_secs(3_600))
            .await
    };
    let robbed = world
        .producer
        .write::<_, storage::Error, _>(rob)
        .await
        .expect("robbed");
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

    let give_back =
        async move |tx: &mut Tx<'_>| tx.release_lease(robbed.as_ref().expect("claimed")).await;
    assert!(
        world
            .producer
            .write::<_, storage::Error, _>(give_back)
            .await
            .expect("given back")
    );
    world.until_all_applied(&published).await;
    running.stop().await;
}
