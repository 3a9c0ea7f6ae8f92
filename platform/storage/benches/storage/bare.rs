//! The same load on bare rusqlite: with group commit, and with a connection and a commit each.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use kernel::Ctx;
use rusqlite::{Connection, Statement, params};
use tokio::sync::{mpsc, oneshot};

const SCHEMA: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL,
    body TEXT NOT NULL) STRICT;
  CREATE INDEX orders_customer ON orders (customer);
  CREATE TABLE outbox (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, topic TEXT NOT NULL,
    key TEXT NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL, trace TEXT,
    created_at INTEGER NOT NULL) STRICT;";
const GROUP_MAX: usize = 512;

struct Order {
    id: i64,
    body: Arc<str>,
    done: oneshot::Sender<bool>,
}

fn open(path: &std::path::Path) -> Connection {
    let conn = Connection::open(path).expect("a database");
    conn.busy_timeout(Duration::from_secs(60)).expect("set");
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;
         PRAGMA journal_size_limit = 67108864;",
    )
    .expect("set");
    conn
}

const INSERT_ORDER: &str = "INSERT INTO orders (id, customer, body) VALUES (?1, ?2, ?3)";
const INSERT_EVENT: &str = "INSERT INTO outbox (id, topic, key, kind, payload, trace, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6)";

/// One row, its index, and an outbox row like the seam's.
fn insert(
    insert_order: &mut Statement<'_>,
    insert_event: &mut Statement<'_>,
    ctx: &Ctx,
    id: i64,
    body: &str,
) -> rusqlite::Result<()> {
    insert_order.execute(params![id, id % 1_000, body])?;
    insert_event.execute(params![
        ctx.new_id().to_string(),
        "orders",
        id.to_string(),
        "order_placed",
        format!("{{\"id\":{id}}}").into_bytes(),
        ctx.now().micros(),
    ])?;
    Ok(())
}

/// A writer thread that commits what is queued, each in a savepoint.
pub(crate) async fn group(clients: usize, time: Duration) -> f64 {
    let dir = testkit::TempDir::new().expect("a directory");
    let conn = open(&dir.path().join("bench.db"));
    conn.execute_batch(SCHEMA).expect("a schema");
    let (sender, queue) = mpsc::channel(4_096);
    let writer = std::thread::spawn(move || write(&conn, queue));
    let next = Arc::new(AtomicI64::new(1));
    let body: Arc<str> = "x".repeat(256).into();
    let start = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (sender, next, body) = (sender.clone(), Arc::clone(&next), Arc::clone(&body));
        all.spawn(async move {
            while start.elapsed() < time {
                let id = next.fetch_add(1, Ordering::Relaxed);
                let (done, answer) = oneshot::channel();
                let order = Order {
                    id,
                    body: Arc::clone(&body),
                    done,
                };
                sender.send(order).await.expect("the writer runs");
                assert!(answer.await.expect("an answer"));
            }
        });
    }
    all.join_all().await;
    let rate = rate(&next, start);
    drop(sender);
    writer.join().expect("the writer ended");
    rate
}

/// Every statement is prepared once, so that nothing but SQLite and the hand-over is measured.
fn write(conn: &Connection, mut queue: mpsc::Receiver<Order>) {
    let ctx = Ctx::system();
    let prepare = |text: &str| conn.prepare(text).expect("a statement");
    let mut insert_order = prepare(INSERT_ORDER);
    let mut insert_event = prepare(INSERT_EVENT);
    let mut begin = prepare("BEGIN IMMEDIATE");
    let mut savepoint = prepare("SAVEPOINT job");
    let mut back = prepare("ROLLBACK TO job");
    let mut release = prepare("RELEASE job");
    let mut commit = prepare("COMMIT");
    let step = |statement: &mut Statement<'_>| {
        statement.execute([]).expect("a step");
    };
    let mut orders = Vec::with_capacity(GROUP_MAX);
    while queue.blocking_recv_many(&mut orders, GROUP_MAX) > 0 {
        let mut outcomes = Vec::with_capacity(orders.len());
        step(&mut begin);
        for Order { id, body, .. } in &orders {
            step(&mut savepoint);
            let done = insert(&mut insert_order, &mut insert_event, &ctx, *id, body).is_ok();
            if !done {
                step(&mut back);
            }
            step(&mut release);
            outcomes.push(done);
        }
        step(&mut commit);
        for (order, outcome) in orders.drain(..).zip(outcomes) {
            let _ = order.done.send(outcome);
        }
    }
}

/// A connection for each client (at most 64), each transaction commits alone.
pub(crate) fn one_each(clients: usize, time: Duration) -> f64 {
    let dir = testkit::TempDir::new().expect("a directory");
    let path = dir.path().join("bench.db");
    open(&path).execute_batch(SCHEMA).expect("a schema");
    let next = AtomicI64::new(1);
    let body = "x".repeat(256);
    let ctx = Ctx::system();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..clients.min(64) {
            scope.spawn(|| {
                let conn = open(&path);
                let mut order = conn.prepare(INSERT_ORDER).expect("a statement");
                let mut event = conn.prepare(INSERT_EVENT).expect("a statement");
                while start.elapsed() < time {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    conn.execute_batch("BEGIN IMMEDIATE").expect("begun");
                    insert(&mut order, &mut event, &ctx, id, &body).expect("written");
                    conn.execute_batch("COMMIT").expect("committed");
                }
            });
        }
    });
    rate(&next, start)
}

#[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
fn rate(next: &AtomicI64, start: Instant) -> f64 {
    (next.load(Ordering::Relaxed) - 1) as f64 / start.elapsed().as_secs_f64()
}
