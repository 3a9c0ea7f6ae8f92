//! The two sides of a topic are of different versions for a while.

use testkit::eventually;

use crate::ledger::{Ledger, MORE_TOPICS, Published, TOPICS, applied};
use crate::world::{Engine, LONG, Way, World};

async fn a_relay_that_does_not_know_the_new_topic(engine: Engine, way: Way) {
    let Some(mut world) = World::new(engine, way).await else {
        return;
    };
    let old = world.start(&Ledger::default()).await;
    let mut published = Published::default();
    published.publish_more(&world.producer, 30, 3).await;
    published.publish(&world.producer, 30, 3, 10).await;
    world.until_applied(30).await;
    old.stop().await;

    world.topics = MORE_TOPICS;
    let new = world.start(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    new.stop().await;

    // An old relay leads once more, and passes events of the new topic.
    world.topics = TOPICS;
    let old = world.start(&Ledger::default()).await;
    published.publish_more(&world.producer, 30, 3).await;
    published.publish(&world.producer, 30, 3, 10).await;
    world.until_applied(90).await;
    old.stop().await;

    world.topics = MORE_TOPICS;
    let new = world.start(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    new.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_a_consumer_gains_is_heard_from_its_beginning_on_sqlite() {
    a_relay_that_does_not_know_the_new_topic(Engine::Sqlite, Way::Push).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_a_consumer_gains_is_heard_from_its_beginning_on_postgres() {
    a_relay_that_does_not_know_the_new_topic(Engine::Postgres, Way::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_for_a_newer_consumer_wait_until_it_is_there() {
    let Some(mut world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let old_consumer = world.start_consumer(&Ledger::default()).await;
    world.topics = MORE_TOPICS;
    let producer = world.start_producer(&old_consumer).await;
    let mut published = Published::default();
    published.publish_more(&world.producer, 30, 3).await;
    eventually("the old consumer refuses them", LONG, || async {
        world.replays() > 0
    })
    .await;
    assert_eq!(applied(&world.consumer).await, 0);
    producer.tasks.shutdown().await;
    old_consumer.tasks.shutdown().await;

    let new = world.start(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    new.stop().await;
}
