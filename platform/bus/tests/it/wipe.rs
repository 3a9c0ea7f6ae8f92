//! Killing and wiping NATS in the middle of the work loses nothing and applies nothing twice, and
//! the audit that says so notices when it is not true.

use std::time::{Duration, Instant};

use storage::{Position, Tx};
use testkit::eventually;

use crate::ledger::{Audit, Ledger, Published, applied, audit};
use crate::world::{Engine, LONG, NAME, Way, World};

#[tokio::test(flavor = "multi_thread")]
async fn killing_and_wiping_nats_amid_100_000_events_loses_none_and_applies_none_twice() {
    let Some(mut world) = World::new(Engine::Sqlite, Way::Nats).await else {
        return;
    };
    let began = Instant::now();
    let running = world.start(&Ledger::default()).await;
    let mut published = Published::default();
    for round in 1..=10 {
        published.publish(&world.producer, 10_000, 997, 500).await;
        if round % 3 == 0 {
            // Some of it is applied, some is on the way, some is not yet sent.
            world.until_applied(published.count - 9_000).await;
            assert!(applied(&world.consumer).await < published.count);
            let nats = world.nats.as_mut().expect("a NATS");
            nats.kill_and_wipe();
            nats.start_again().await;
        }
    }
    eventually(
        "100,000 events are applied",
        Duration::from_secs(180),
        || async { applied(&world.consumer).await >= 100_000 },
    )
    .await;
    let took = began.elapsed();
    running.stop().await;
    assert_eq!(published.count, 100_000);
    assert_eq!(audit(&world.consumer, &published).await, Audit::default());
    let duplicates = world.counter("bus_duplicates_total");
    let replays = world.replays();
    assert!(replays >= 3, "the relay noticed each wipe: {replays}");
    println!("100,000 events, 3 wipes: {took:?}; {replays} replays, {duplicates} came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_of_what_was_sent_and_not_yet_applied_is_repaired() {
    let Some(mut world) = World::new(Engine::Sqlite, Way::Nats).await else {
        return;
    };
    // Nobody pulls: everything lies in NATS alone, as far as carriers go.
    let consumer = world.start_consumer(&Ledger::default()).await;
    consumer.tasks.shutdown().await;
    let producer = world.start_producer(&consumer).await;
    let mut published = Published::default();
    published.publish(&world.producer, 1_000, 50, 100).await;
    let carried = || {
        let labels = [("producer", "producer"), ("consumer", NAME)];
        world
            .metrics
            .counter("bus_carried_total", "", &labels)
            .get()
    };
    eventually("it lies in NATS", LONG, || async { carried() == 1_000 }).await;
    let nats = world.nats.as_mut().expect("a NATS");
    nats.kill_and_wipe();
    nats.start_again().await;
    let consumer = world.start_consumer(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    producer.tasks.shutdown().await;
    consumer.tasks.shutdown().await;
}

/// Publishes, wipes in the middle, and lets `sabotage` happen while NATS is down.
async fn wiped_with(ledger: Ledger, trusts_what_was_sent: bool) -> Audit {
    let Some(mut world) = World::new(Engine::Sqlite, Way::Nats).await else {
        return Audit {
            lost: 1,
            twice: 1,
            ..Audit::default()
        };
    };
    let running = world.start(&ledger).await;
    let mut published = Published::default();
    published.publish(&world.producer, 10_000, 97, 500).await;
    world.until_applied(1_000).await;
    let nats = world.nats.as_mut().expect("a NATS");
    nats.kill_and_wipe();
    running.stop().await;
    if trusts_what_was_sent {
        // As a relay would that keeps how far it has sent, and not how far the consumer is.
        let trust = async |tx: &mut Tx<'_>| {
            let end = tx.outbox_end().await?;
            tx.set_cursor("bus.ledger.work", end).await
        };
        assert!(
            world
                .producer
                .write::<_, storage::Error, _>(trust)
                .await
                .expect("set")
        );
    } else {
        // As if the last confirmations had been lost, too.
        let back = async |tx: &mut Tx<'_>| {
            tx.reset_cursor("bus.ledger.work").await?;
            tx.set_cursor("bus.ledger.work", Position(500)).await
        };
        assert!(
            world
                .producer
                .write::<_, storage::Error, _>(back)
                .await
                .expect("set")
        );
    }
    world.nats.as_mut().expect("a NATS").start_again().await;
    let running = world.start(&ledger).await;
    // A last event that nothing is wrong with shows that the lane is through.
    published.publish(&world.producer, 97, 97, 97).await;
    let end = world
        .producer
        .read(async |tx: &mut Tx<'_>| tx.outbox_end().await)
        .await;
    let end = end.map_err(|e: storage::Error| e).expect("read");
    eventually("the lane is through", LONG, || async {
        let cursor = async |tx: &mut Tx<'_>| tx.cursor("bus.ledger.work").await;
        world
            .producer
            .read::<_, storage::Error, _>(cursor)
            .await
            .expect("read")
            == Some(end)
    })
    .await;
    running.stop().await;
    audit(&world.consumer, &published).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fault_the_audit_finds_nothing() {
    if testkit::find_program("nats-server").is_none() {
        return testkit::skipped("nats-server", "install it from nats.io");
    }
    assert_eq!(wiped_with(Ledger::default(), false).await, Audit::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_notices_a_relay_that_trusts_what_it_has_sent() {
    let found = wiped_with(Ledger::default(), true).await;
    assert!(found.lost > 0, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_notices_a_consumer_without_an_inbox() {
    let ledger = Ledger {
        without_inbox: Some(NAME),
        ..Ledger::default()
    };
    let found = wiped_with(ledger, false).await;
    assert!(found.twice > 0, "{found:?}");
}
