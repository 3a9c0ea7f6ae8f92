//! The load over this crate's seam, on either engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use storage::{Db, DbOptions, Migration, OutboxEvent, Sql};

const SCHEMA: &[Migration] = &[Migration {
    version: 1,
    name: "orders",
    sqlite: "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL,
               body TEXT NOT NULL) STRICT;
             CREATE INDEX orders_customer ON orders (customer);",
    postgres: "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer BIGINT NOT NULL,
               body TEXT NOT NULL);
             CREATE INDEX orders_customer ON orders (customer);",
}];
const INSERT: Sql = Sql::both("INSERT INTO orders (id, customer, body) VALUES ($1, $2, $3)");

pub(crate) async fn sqlite(clients: usize, time: Duration) -> f64 {
    let dir = testkit::TempDir::new().expect("a directory");
    let url = format!("sqlite://{}", dir.path().join("bench.db").display());
    let db = Db::open(&url, DbOptions::new("bench"))
        .await
        .expect("a database");
    run(db, clients, time).await
}

pub(crate) async fn postgres(url: &str, clients: usize, time: Duration) -> f64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let schema = format!("bench_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let options = DbOptions {
        connections_max: clients.min(32),
        ..DbOptions::new(schema)
    };
    let db = Db::open(url, options).await.expect("a database");
    run(db, clients, time).await
}

async fn run(db: Db, clients: usize, time: Duration) -> f64 {
    db.migrate(SCHEMA).await.expect("migrated");
    let next = Arc::new(AtomicU64::new(1));
    let body: Arc<str> = "x".repeat(256).into();
    let start = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (db, next, body) = (db.clone(), Arc::clone(&next), Arc::clone(&body));
        all.spawn(async move {
            while start.elapsed() < time {
                let id = next.fetch_add(1, Ordering::Relaxed).cast_signed();
                let body = Arc::clone(&body);
                db.write(async move |tx| {
                    tx.execute(&INSERT, &[&id, &(id % 1_000), &&*body]).await?;
                    tx.publish(&OutboxEvent {
                        topic: "orders".to_owned(),
                        key: id.to_string(),
                        kind: "order_placed".to_owned(),
                        payload: format!("{{\"id\":{id}}}").into_bytes(),
                    })
                    .await
                    .map(drop)
                })
                .await
                .expect("written");
            }
        });
    }
    all.join_all().await;
    rate(&next, start)
}

#[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
fn rate(next: &AtomicU64, start: Instant) -> f64 {
    (next.load(Ordering::Relaxed) - 1) as f64 / start.elapsed().as_secs_f64()
}
