//! The story that every carrier tells alike: everything, once, in order, and nothing when idle.

use storage::Tx;

use crate::ledger::{Ledger, Published};
use crate::world::{Engine, LONG, NAME, Way, World};

async fn story(engine: Engine, way: Way) {
    let Some(world) = World::new(engine, way).await else {
        return;
    };
    let mut published = Published::default();
    published.publish(&world.producer, 500, 20, 50).await;

    let running = world.start(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    published.publish(&world.producer, 2_000, 40, 20).await;
    world.until_all_applied(&published).await;

    // The cursor is what the consumer has committed, and the lag says so.
    let end = world
        .producer
        .read(async |tx: &mut Tx<'_>| tx.outbox_end().await)
        .await;
    let end = end.map_err(|e: storage::Error| e).expect("read");
    testkit::eventually("the cursor is at the end", LONG, || async {
        let cursor = async |tx: &mut Tx<'_>| tx.cursor("bus.ledger.work").await;
        world
            .producer
            .read::<_, storage::Error, _>(cursor)
            .await
            .expect("read")
            == Some(end)
    })
    .await;
    testkit::eventually("there is no lag", LONG, || async {
        let labels = [("producer", world.producer.schema()), ("consumer", NAME)];
        world.metrics.gauge("bus_lag_events", "", &labels).get() == 0
    })
    .await;

    // Both processes end and come back; what happened meanwhile is applied.
    running.stop().await;
    published.publish(&world.producer, 300, 40, 20).await;
    let running = world.start(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_applied_once_and_in_order_in_one_process_on_sqlite() {
    story(Engine::Sqlite, Way::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_applied_once_and_in_order_in_one_process_on_postgres() {
    story(Engine::Postgres, Way::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_applied_once_and_in_order_when_pushed_on_sqlite() {
    story(Engine::Sqlite, Way::Push).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_applied_once_and_in_order_when_pushed_on_postgres() {
    story(Engine::Postgres, Way::Push).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_applied_once_and_in_order_through_nats_on_sqlite() {
    story(Engine::Sqlite, Way::Nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_applied_once_and_in_order_through_nats_on_postgres() {
    story(Engine::Postgres, Way::Nats).await;
}
