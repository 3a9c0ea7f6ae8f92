//! Who shares a commit is chosen while the database is in use.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, poll};
use kernel::Knobs;
use storage::{Commits, Db, DbOptions};
use telemetry::Metrics;

use crate::engine::{MIGRATIONS, add, count, sqlite_file};

const WRITERS: u64 = 40;

/// How many commits it takes when so many write at once.
async fn commits_of_many(db: &Db, metrics: &Metrics, names: &str) -> u64 {
    let labels = [("store", db.schema()), ("engine", "sqlite")];
    let commits = metrics.counter("storage_commits_total", "", &labels);
    let before = commits.get();
    let ids: Vec<String> = (0..WRITERS).map(|n| format!("{names}{n}")).collect();
    db.faults().stall_writer(Duration::from_secs(60));
    let writes = ids.iter().map(|id| add(db, id, 1).boxed());
    let mut writes = join_all(writes);
    assert!(poll!(&mut writes).is_pending(), "they wait in the queue");
    db.faults().clear();
    for written in writes.await {
        written.unwrap();
    }
    commits.get() - before
}

#[tokio::test]
async fn those_that_wait_share_a_commit_or_each_has_its_own_as_chosen() {
    let store = sqlite_file().await;
    let metrics = Metrics::new();
    let options = DbOptions::new("accounts").with_metrics(metrics.clone());
    let db = Db::open(&store.url, options).await.unwrap();
    db.migrate(MIGRATIONS).await.unwrap();
    // The writer may have taken the first alone; the others are there when it is done.
    assert!(commits_of_many(&db, &metrics, "a").await <= 2);
    let (knobs, knob) = Knobs::none().declare::<Commits>("commits", "syncs for latency");
    db.commit_by(knob);
    assert!(commits_of_many(&db, &metrics, "b").await <= 2);
    knobs.set("commits", "single").unwrap();
    assert_eq!(commits_of_many(&db, &metrics, "c").await, WRITERS);
    knobs.set("commits", "grouped").unwrap();
    assert!(commits_of_many(&db, &metrics, "d").await <= 2);
    assert_eq!(count(&db).await, 4 * 40);
}
