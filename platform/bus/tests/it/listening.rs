//! Every replica hears its service's events, with no carrier in between.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusOptions, Consumer};
use kernel::{Ctx, Tasks};
use parking_lot::Mutex;
use storage::{Db, DbOptions};
use telemetry::Metrics;
use testkit::{TempDir, eventually};

use crate::ledger::{Published, TOPICS};

/// A replica with a connection of its own, and what it has heard.
struct Replica {
    db: Db,
    tasks: Tasks,
    heard: Arc<Mutex<Vec<(String, i64)>>>,
}

impl Replica {
    async fn start(url: &str, schema: &str) -> Self {
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
            notes
                .lock()
                .push((event.key.clone(), event.json().expect("a number")));
        });
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
    eventually("both hear", Duration::from_secs(20), || async {
        replicas.iter().all(|r| r.heard() == 50)
    })
    .await;
    let late = Replica::start(url, schema).await;
    published.publish(&replicas[1].db, 5, 5, 5).await;
    eventually("all hear", Duration::from_secs(20), || async {
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
