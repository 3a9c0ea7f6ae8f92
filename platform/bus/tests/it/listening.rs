//! Every replica hears its service's events, with no carrier in between.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusOptions, Consumer};
use kernel::{Ctx, Tasks};
use parking_lot::Mutex;
use storage::{Db, DbOptions, OutboxEvent, Tx};
use telemetry::Metrics;
use testkit::{TempDir, eventually};

use crate::ledger::{Published, TOPICS};
use crate::world::LONG;

/// A replica with a connection of its own, and what it has heard.
struct Replica {
    db: Db,
    tasks: Tasks,
    heard: Arc<Mutex<Vec<(String, i64)>>>,
}

impl Replica {
    async fn start(url: &str, schema: &str) -> Self {
        Self::start_hearing(url, schema, Duration::ZERO).await
    }

    async fn start_hearing(url: &str, schema: &str, replay: Duration) -> Self {
        let db = Db::open(url, DbOptions::new(schema)).await.expect("opened");
        db.migrate(&[]).await.expect("migrated");
        let (tasks, heard) = (Tasks::new(), Arc::<Mutex<Vec<_>>>::default());
        let notes = Arc::clone(&heard);
        let bus = Bus::new(
            &Ctx::system(),
            Metrics::new(),
            tasks.clone(),
            BusOptions::default(),
        );
        let listener = Consumer::every_replica("cache.forget", TOPICS, move |event| {
            let number = event.json().expect("a number");
            notes.lock().push((event.key.clone(), number));
        });
        let listener = listener.hearing_again(replay);
        bus.host(&db, &[listener]).await.expect("hosted");
        Self { db, tasks, heard }
    }

    fn heard(&self) -> usize {
        self.heard.lock().len()
    }
}

async fn everyone_hears(url: &str, schema: &str) {
    let replicas = [
        Replica::start(url, schema).await,
        Replica::start(url, schema).await,
    ];
    let mut published = Published::default();
    published.publish(&replicas[0].db, 50, 5, 10).await;
    eventually("both hear", LONG, || async {
        replicas.iter().all(|r| r.heard() == 50)
    })
    .await;
    let late = Replica::start(url, schema).await;
    published.publish(&replicas[1].db, 5, 5, 5).await;
    eventually("all hear", LONG, || async {
        let last: Vec<_> = (0..5).map(|k| (format!("key {k}"), 11)).collect();
        [&replicas[0], &replicas[1], &late]
            .iter()
            .all(|r| r.heard.lock().ends_with(&last))
    })
    .await;
    for replica in replicas.iter().chain([&late]) {
        replica.tasks.shutdown().await;
    }
}

async fn what_was_published_lately_is_heard_again(url: &str, schema: &str) {
    let first = Replica::start(url, schema).await;
    let mut published = Published::default();
    // More than a step back, and more than what PostgreSQL rereads anyway.
    published.publish(&first.db, 3_000, 5, 500).await;
    first.tasks.shutdown().await;
    let again = Replica::start_hearing(url, schema, Duration::from_secs(3_600)).await;
    eventually("it hears all", LONG, || async { again.heard() == 3_000 }).await;
    again.tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_can_hear_again_on_sqlite() {
    let directory = TempDir::new().expect("a directory");
    let url = format!("sqlite://{}", directory.path().join("again.db").display());
    what_was_published_lately_is_heard_again(&url, "again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_can_hear_again_on_postgres() {
    let Some(server) = testkit::Postgres::shared().await else {
        return;
    };
    what_was_published_lately_is_heard_again(&server.url(), "again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_hears_every_event_on_sqlite() {
    let directory = TempDir::new().expect("a directory");
    let url = format!("sqlite://{}", directory.path().join("shared.db").display());
    everyone_hears(&url, "shared").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_hears_every_event_on_postgres() {
    let Some(server) = testkit::Postgres::shared().await else {
        return;
    };
    everyone_hears(&server.url(), "everyone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_open_when_a_replica_started_is_heard() {
    let Some(server) = testkit::Postgres::shared().await else {
        return;
    };
    let early = Replica::start(&server.url(), "open").await;
    let (published, mut has_published) = tokio::sync::mpsc::channel(1);
    let (go_on, wait) = tokio::sync::watch::channel(false);
    let db = early.db.clone();
    // Its event has number 1, and thousands are committed after it.
    let slow = async move {
        db.write(async move |tx| {
            tx.publish(&event("slow", 7)).await?;
            let _ = published.send(()).await;
            let _ = wait.clone().wait_for(|go| *go).await;
            Ok::<_, storage::Error>(())
        })
        .await
    };
    let meanwhile = async {
        has_published.recv().await.expect("it publishes");
        let mut others = Published::default();
        others.publish(&early.db, 3_000, 5, 3_000).await;
        let late = Replica::start(&server.url(), "open").await;
        go_on.send_replace(true);
        eventually("it is heard", LONG, || async {
            let slow = ("slow".to_owned(), 7);
            late.heard.lock().contains(&slow)
        })
        .await;
        late.tasks.shutdown().await;
    };
    let (slow, ()) = tokio::join!(slow, meanwhile);
    slow.expect("committed");
    early.tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_panics_hears_the_next_event() {
    let directory = TempDir::new().expect("a directory");
    let url = format!("sqlite://{}", directory.path().join("panics.db").display());
    let replica = Replica::start(&url, "panics").await;
    let publish = async |payload: &str| {
        let event = OutboxEvent {
            payload: payload.as_bytes().to_vec(),
            ..event("key", 0)
        };
        let published = replica
            .db
            .write(async move |tx: &mut Tx<'_>| tx.publish(&event).await);
        published.await.expect("published");
    };
    // The listener expects a number.
    publish("\"no number\"").await;
    publish("5").await;
    eventually("it hears the next one", LONG, || async {
        *replica.heard.lock() == [("key".to_owned(), 5)]
    })
    .await;
    replica.tasks.shutdown().await;
}

fn event(key: &str, payload: i64) -> OutboxEvent {
    OutboxEvent {
        topic: TOPICS[0].to_owned(),
        key: key.to_owned(),
        kind: "worked".to_owned(),
        payload: payload.to_string().into_bytes(),
    }
}
