//! Injected faults on the way of events: nothing is lost, nothing is applied twice, and all is as
//! before when they have ended.

use faults::{Effect, FaultSpec, Seam};
use kernel::Code;

use crate::ledger::{Ledger, Published, applied};
use crate::world::{Engine, LONG, Way, World};

const HOUR_MS: u64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn events_survive_what_is_refused_lost_and_doubled() {
    for way in [Way::Direct, Way::Push, Way::Nats] {
        let Some(world) = World::new(Engine::Sqlite, way).await else {
            return;
        };
        let running = world.start(&Ledger::default()).await;
        let mut published = Published::default();
        let code = Code::Unavailable;
        for effect in [Effect::Error { code }, Effect::Drop, Effect::Duplicate] {
            let spec = FaultSpec::new(Seam::Events, effect, HOUR_MS).at_most(3);
            world.faults.inject(spec).expect("a fault");
            let before = world.replays();
            for _ in 0..4 {
                published.publish(&world.producer, 20, 4, 10).await;
                world.until_all_applied(&published).await;
            }
            let sent_again = world.replays() > before;
            // A stream of NATS notices the second one, and the relay begins again.
            let begins_again = effect != Effect::Duplicate || way == Way::Nats;
            assert_eq!(sent_again, begins_again, "{way:?} {effect}");
            assert!(world.faults.list().is_empty(), "spent: {effect}");
        }
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_held_up_come_when_the_fault_ends() {
    let Some(world) = World::new(Engine::Sqlite, Way::Direct).await else {
        return;
    };
    let running = world.start(&Ledger::default()).await;
    let spec = FaultSpec::latency(Seam::Events, HOUR_MS, HOUR_MS);
    let elsewhere = spec.clone().on("somebody-else");
    world.faults.inject(elsewhere).expect("a fault");
    let mut published = Published::default();
    published.publish(&world.producer, 5, 1, 5).await;
    world.until_all_applied(&published).await;
    let late = spec.on("producer").of("ledger.work");
    let late = world.faults.inject(late).expect("a fault");
    published.publish(&world.producer, 5, 1, 5).await;
    testkit::eventually("the batch is held up", LONG, async || {
        world.faults.list().iter().any(|fault| fault.hits > 0)
    })
    .await;
    assert_eq!(applied(&world.consumer).await, 5);
    assert!(world.faults.end(&late.id));
    world.until_all_applied(&published).await;
    running.stop().await;
}
