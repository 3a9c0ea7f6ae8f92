//! Processes that end at any moment: what was applied and not acknowledged is applied once.

use tokio::runtime::Runtime;

use crate::ledger::{Ledger, Published, applied};
use crate::world::{Engine, LONG, Way, World};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

#[expect(
    clippy::print_stdout,
    reason = "the figure belongs to the test's report"
)]
fn report(way: Way, duplicates: u64) {
    println!("{way:?}: {duplicates} events came twice and were dropped");
}

/// Starts both processes on a runtime of their own, which is torn down in the middle of the work.
async fn crashes(way: Way) {
    let Some(world) = World::new(Engine::Sqlite, way).await else {
        return;
    };
    let world = std::sync::Arc::new(world);
    let mut published = Published::default();
    published.publish(&world.producer, 20_000, 97, 500).await;
    for round in 1..=4 {
        let doomed = runtime();
        let inside = std::sync::Arc::clone(&world);
        let started = doomed.spawn(async move { inside.start(&Ledger::default()).await });
        let running = started.await.expect("started");
        world
            .until_applied((round * 3_000).min(published.count))
            .await;
        // No task is awaited: every one stops wherever it waits, as in a crash.
        doomed.shutdown_background();
        drop(running);
    }
    let running = world.start(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    running.stop().await;
    report(way, world.counter("bus_duplicates_total"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_effect_and_acknowledgement_applies_nothing_twice_in_one_process() {
    crashes(Way::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_effect_and_acknowledgement_applies_nothing_twice_when_pushed() {
    crashes(Way::Push).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_effect_and_acknowledgement_applies_nothing_twice_through_nats() {
    crashes(Way::Nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_away_gets_everything_when_it_is_back() {
    let Some(world) = World::new(Engine::Sqlite, Way::Push).await else {
        return;
    };
    let running = world.start(&Ledger::default()).await;
    let mut published = Published::default();
    published.publish(&world.producer, 200, 10, 20).await;
    world.until_all_applied(&published).await;
    running.consumer.tasks.shutdown().await;
    published.publish(&world.producer, 200, 10, 20).await;
    testkit::eventually("the push fails", LONG, || async { world.replays() > 0 }).await;
    assert_eq!(applied(&world.consumer).await, 200);
    running.producer.tasks.shutdown().await;
    let running = world.start(&Ledger::default()).await;
    world.until_all_applied(&published).await;
    running.stop().await;
}
