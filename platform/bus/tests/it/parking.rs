//! An event that cannot be applied: parked with its key, tried again, given up, redriven, discarded.

use bus::BusError;
use storage::{EVENT_BYTES_MAX, EVENT_NAME_BYTES_MAX, OutboxEvent, Sql, Tx};
use testkit::eventually;

use crate::ledger::{Audit, Hold, Ledger, Published, TOPIC, applied, audit};
use crate::world::{Engine, LONG, NAME, Way, World};

async fn poisoned(engine: Engine, way: Way) {
    let Some(world) = World::new(engine, way).await else {
        return;
    };
    let ledger = Ledger::default();
    ledger
        .poison
        .lock()
        .extend([("key 3".to_owned(), 5), ("key 4".to_owned(), 5)]);
    let running = world.start(&ledger).await;
    let mut published = Published::default();
    published.publish(&world.producer, 200, 10, 20).await;

    // Eight keys are whole; of two keys, the 16 events from the fifth on wait, in order.
    world.until_applied(200 - 32).await;
    let bus = &running.consumer.bus;
    eventually("both are dead", LONG, || async {
        bus.dead_letters(NAME, None, 10).await.expect("read").len() == 2
    })
    .await;
    assert_eq!(applied(&world.consumer).await, 200 - 32);
    let letters = bus.dead_letters(NAME, None, 10).await.expect("read");
    let third = letters
        .iter()
        .find(|l| l.event.key == "key 3")
        .expect("it is dead");
    assert_eq!(third.error, "event 5 of key 3 is bad");
    assert_eq!((third.attempts, third.behind), (3, 15));
    let first = (letters[0].parked_at, letters[0].event.id);
    assert_eq!(
        bus.dead_letters(NAME, Some(first), 10).await.expect("read"),
        letters[1..]
    );

    // More events of the key wait behind it too; others go on.
    published.publish(&world.producer, 10, 10, 10).await;
    world.until_applied(200 - 32 + 8).await;

    // Redriven without a cure it dies again; with one, its key goes on in order.
    bus.redrive(NAME, third.event.id).await.expect("it is dead");
    eventually("it is dead again", LONG, || async {
        bus.dead_letters(NAME, None, 10).await.expect("read").len() == 2
    })
    .await;
    ledger.poison.lock().remove(&("key 3".to_owned(), 5));
    bus.redrive(NAME, third.event.id).await.expect("it is dead");
    world.until_applied(200 - 32 + 8 + 17).await;

    // Discarded, the rest of its key goes on without it.
    let fourth = bus
        .dead_letters(NAME, None, 10)
        .await
        .expect("read")
        .remove(0);
    assert_eq!((&*fourth.event.key, fourth.behind), ("key 4", 16));
    bus.discard(NAME, fourth.event.id)
        .await
        .expect("it is parked");
    world.until_applied(209).await;
    let found = audit(&world.consumer, &published).await;
    assert_eq!(
        found,
        Audit {
            lost: 1,
            twice: 0,
            wrong_sums: 1,
            disorder: 1
        }
    );
    let gone = bus.redrive(NAME, fourth.event.id).await;
    assert!(
        matches!(gone, Err(BusError::NoSuchEvent { .. })),
        "{gone:?}"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_event_parks_its_key_and_no_other_on_sqlite() {
    poisoned(Engine::Sqlite, Way::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_event_parks_its_key_and_no_other_on_postgres() {
    poisoned(Engine::Postgres, Way::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_event_parks_its_key_and_no_other_through_nats() {
    poisoned(Engine::Sqlite, Way::Nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_for_a_while_is_applied_without_anyone() {
    let Some(world) = World::new(Engine::Sqlite, Way::Direct).await else {
        return;
    };
    let ledger = Ledger::default();
    ledger.poison.lock().insert(("key 0".to_owned(), 1));
    let running = world.start(&ledger).await;
    let mut published = Published::default();
    published.publish(&world.producer, 50, 5, 10).await;
    eventually("it failed", LONG, || async {
        world.counter("bus_failures_total") > 0
    })
    .await;
    ledger.poison.lock().clear();
    // It may have died in the meantime; then a person redrives it.
    eventually("all is applied", LONG, || async {
        running
            .consumer
            .bus
            .redrive_all(NAME)
            .await
            .expect("redriven");
        applied(&world.consumer).await == 50
    })
    .await;
    world.until_all_applied(&published).await;
    running.stop().await;
}

/// How many transactions of this schema wait for another one while they work on parked events.
const WAITING: Sql = Sql::both(
    "SELECT count(DISTINCT waits.pid) FROM pg_locks AS waits JOIN pg_locks AS uses USING (pid)
     WHERE NOT waits.granted AND uses.relation = CAST('bus_parked' AS regclass)",
);

async fn is_waited_for(world: &World) -> bool {
    let read = async |tx: &mut Tx<'_>| tx.query_one(&WAITING, &[]).await?.get::<i64>(0);
    let waiting = world.consumer.read::<_, storage::Error, _>(read).await;
    waiting.expect("read") > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_while_its_parked_key_goes_on_keeps_its_place() {
    let Some(world) = World::new(Engine::Postgres, Way::Direct).await else {
        return;
    };
    let hold = Hold::of("key 0", 1);
    let ledger = Ledger {
        hold: Some(hold.clone()),
        ..Ledger::default()
    };
    ledger.poison.lock().insert(("key 0".to_owned(), 1));
    let running = world.start(&ledger).await;
    let mut published = Published::default();
    published.publish(&world.producer, 2, 1, 2).await;
    eventually("the second waits behind the first", LONG, || async {
        world.counter("bus_parked_total") == 2
    })
    .await;
    ledger.poison.lock().clear();
    eventually("the first is tried again", LONG, || async {
        let bus = &running.consumer.bus;
        bus.redrive_all(NAME).await.expect("redriven");
        hold.is_reached()
    })
    .await;
    // The transaction that will make the second one the head is open when the third one comes.
    published.publish(&world.producer, 1, 1, 1).await;
    eventually("the third waits for it", LONG, || is_waited_for(&world)).await;
    hold.release();
    world.until_all_applied(&published).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_event_travels_and_is_kept_through_nats() {
    let Some(world) = World::new(Engine::Sqlite, Way::Nats).await else {
        return;
    };
    let running = world.start(&Ledger::default()).await;
    // On the way both are larger: bytes become Base64, and each control character six others.
    let event = OutboxEvent {
        topic: TOPIC.to_owned(),
        key: "\u{1}".repeat(EVENT_NAME_BYTES_MAX),
        kind: "worked".to_owned(),
        payload: vec![0xff; EVENT_BYTES_MAX],
    };
    let sent = event.clone();
    let publish = async move |tx: &mut Tx<'_>| tx.publish(&sent).await;
    let published = world.producer.write::<_, storage::Error, _>(publish).await;
    published.expect("it is not too large");
    let bus = &running.consumer.bus;
    eventually("it is dead, for it holds no number", LONG, || async {
        !bus.dead_letters(NAME, None, 1)
            .await
            .expect("read")
            .is_empty()
    })
    .await;
    let letter = bus
        .dead_letters(NAME, None, 1)
        .await
        .expect("read")
        .remove(0);
    assert!(letter.event.payload == event.payload && letter.event.key == event.key);
    running.stop().await;
}
