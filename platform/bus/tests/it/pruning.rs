//! An outbox is pruned, by whoever leads, up to where the slowest of its consumers is.

use std::time::Duration;

use bus::{Bus, BusOptions, Route};
use kernel::{Ctx, Tasks};
use storage::{Position, Sql, Tx};
use testkit::eventually;

use crate::ledger::{Published, TOPIC};
use crate::world::{Engine, LONG, NAME, Way, World, options, push_to};

const COUNT: Sql = Sql::both("SELECT count(*) FROM platform_outbox");

async fn rows(world: &World) -> i64 {
    let count = async |tx: &mut Tx<'_>| tx.query_one(&COUNT, &[]).await?.get(0);
    let rows = world.producer.read::<i64, storage::Error, _>(count).await;
    rows.expect("read")
}

/// Publishes ten events, and lets a relay look after them that keeps none.
async fn relayed(world: &World, routes: Vec<Route>) -> Tasks {
    let mut published = Published::default();
    published.publish(&world.producer, 10, 1, 5).await;
    // Whoever was this is not there any more.
    let stray = async |tx: &mut Tx<'_>| tx.set_cursor("bus.renamed", Position(2)).await;
    let set = world.producer.write::<_, storage::Error, _>(stray).await;
    set.expect("set");
    let tasks = Tasks::new();
    let options = BusOptions {
        keep: Duration::ZERO,
        ..options()
    };
    let bus = Bus::new(
        &Ctx::system(),
        world.metrics.clone(),
        tasks.clone(),
        options,
    );
    bus.relay(&world.producer, routes).expect("fine routes");
    tasks
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_that_nobody_reads_is_pruned() {
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let tasks = relayed(&world, Vec::new()).await;
    eventually("all but the newest are gone", LONG, || async {
        rows(&world).await == 1
    })
    .await;
    tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_has_not_committed_is_kept() {
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let at = async |tx: &mut Tx<'_>| {
        let cursor = format!("bus.{NAME}");
        tx.begin_cursor(&cursor, &[TOPIC.to_owned()]).await?;
        tx.set_cursor(&cursor, Position(6)).await
    };
    let set = world.producer.write::<_, storage::Error, _>(at).await;
    set.expect("set");
    // Nobody takes anything in.
    let tasks = relayed(&world, vec![world.route(push_to(&[]))]).await;
    eventually("what it has committed is gone", LONG, || async {
        rows(&world).await == 4
    })
    .await;
    tasks.shutdown().await;
}
