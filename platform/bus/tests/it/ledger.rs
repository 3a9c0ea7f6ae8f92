//! A consumer whose effects can be audited: per key how many events, their sum, and their order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bus::{Event, EventHandler, HandlerError};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use parking_lot::Mutex;
use storage::{Db, Migration, OutboxEvent, Sql, Tx};
use tokio::sync::watch;

pub(crate) const TOPIC: &str = "work";
pub(crate) const TOPICS: &[&str] = &[TOPIC];
/// A topic that the consumer gains with its next version.
pub(crate) const MORE: &str = "work.more";
pub(crate) const MORE_TOPICS: &[&str] = &[TOPIC, MORE];

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "ledger",
    sqlite: "CREATE TABLE ledger (key TEXT NOT NULL PRIMARY KEY, applied INTEGER NOT NULL,
      total INTEGER NOT NULL, last INTEGER NOT NULL, disorder INTEGER NOT NULL) STRICT",
    postgres: "CREATE TABLE ledger (key TEXT NOT NULL PRIMARY KEY, applied BIGINT NOT NULL,
      total BIGINT NOT NULL, last BIGINT NOT NULL, disorder BIGINT NOT NULL)",
}];

const APPLY: Sql = Sql::both(
    "INSERT INTO ledger (key, applied, total, last, disorder) VALUES ($1, 1, $2, $3, $4)
     ON CONFLICT (key) DO UPDATE SET applied = ledger.applied + 1,
       total = ledger.total + excluded.total, last = excluded.last,
       disorder = ledger.disorder
         + CASE WHEN excluded.last = ledger.last + 1 THEN 0 ELSE 1 END",
);
const READ: Sql = Sql::both("SELECT key, applied, total, last, disorder FROM ledger");
const FORGET: Sql = Sql::both("DELETE FROM platform_inbox WHERE consumer = $1 AND event_id = $2");

/// Which events fail, by key and number.
pub(crate) type Poison = Arc<Mutex<HashSet<(String, i64)>>>;

/// Holds one event up within its transaction.
#[derive(Clone)]
pub(crate) struct Hold {
    event: (String, i64),
    reached: watch::Sender<bool>,
    released: watch::Sender<bool>,
}

impl Hold {
    pub(crate) fn of(key: &str, n: i64) -> Self {
        Self {
            event: (key.to_owned(), n),
            reached: watch::Sender::new(false),
            released: watch::Sender::new(false),
        }
    }

    /// Whether its transaction is open.
    pub(crate) fn is_reached(&self) -> bool {
        *self.reached.borrow()
    }

    pub(crate) fn release(&self) {
        self.released.send_replace(true);
    }
}

/// Applies events to the ledger.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) poison: Poison,
    pub(crate) hold: Option<Hold>,
    /// A planted fault: the name of a consumer that keeps no inbox.
    pub(crate) without_inbox: Option<&'static str>,
}

impl EventHandler for Ledger {
    fn handle<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        event: &'a Event,
    ) -> LocalBoxFuture<'a, Result<(), HandlerError>> {
        async move {
            let n: i64 = event.json()?;
            if self.poison.lock().contains(&(event.key.clone(), n)) {
                return Err(HandlerError::Failed(format!(
                    "event {n} of {} is bad",
                    event.key
                )));
            }
            if let Some(hold) = &self.hold
                && hold.event == (event.key.clone(), n)
            {
                hold.reached.send_replace(true);
                let _ = hold.released.subscribe().wait_for(|go| *go).await;
            }
            let disorder = i64::from(n != 1);
            tx.execute(&APPLY, &[&event.key, &mixed(n), &n, &disorder])
                .await?;
            if let Some(consumer) = self.without_inbox {
                tx.execute(&FORGET, &[&consumer, &event.id]).await?;
            }
            Ok(())
        }
        .boxed_local()
    }
}

/// Spreads numbers, so that two mistakes do not make one right sum.
fn mixed(n: i64) -> i64 {
    n.wrapping_mul(0x9E37_79B9) & 0xFFFF_FFFF
}

/// What was published.
#[derive(Default)]
pub(crate) struct Published {
    by_key: HashMap<String, i64>,
    pub(crate) count: i64,
}

impl Published {
    /// Publishes `count` events over `keys` keys, numbered from 1 within each, `per_tx` at a time.
    pub(crate) async fn publish(&mut self, db: &Db, count: i64, keys: i64, per_tx: usize) {
        let events = self.next(TOPIC, "key", count, keys);
        self.send(db, events, per_tx).await;
    }

    /// Publishes `count` events of the topic that the next version gains, over `keys` other keys.
    pub(crate) async fn publish_more(&mut self, db: &Db, count: i64, keys: i64) {
        let events = self.next(MORE, "more", count, keys);
        self.send(db, events, 10).await;
    }

    fn next(&mut self, topic: &str, name: &str, count: i64, keys: i64) -> Vec<OutboxEvent> {
        let mut events = Vec::new();
        for n in 0..count {
            let key = format!("{name} {}", n % keys);
            let number = self.by_key.entry(key.clone()).or_default();
            *number += 1;
            events.push(OutboxEvent {
                topic: topic.to_owned(),
                key,
                kind: "worked".to_owned(),
                payload: number.to_string().into_bytes(),
            });
        }
        events
    }

    async fn send(&mut self, db: &Db, events: Vec<OutboxEvent>, per_tx: usize) {
        self.count += i64::try_from(events.len()).expect("few");
        for chunk in events.chunks(per_tx) {
            let chunk = chunk.to_vec();
            db.write(async move |tx: &mut Tx<'_>| {
                for event in &chunk {
                    tx.publish(event).await?;
                }
                Ok::<_, storage::Error>(())
            })
            .await
            .expect("published");
        }
    }
}

/// How the ledger differs from what was published.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    pub(crate) lost: i64,
    pub(crate) twice: i64,
    pub(crate) wrong_sums: i64,
    pub(crate) disorder: i64,
}

/// Compares the ledger with what was published.
pub(crate) async fn audit(db: &Db, published: &Published) -> Audit {
    let read = async move |tx: &mut Tx<'_>| tx.query(&READ, &[]).await;
    let rows = db.read::<_, storage::Error, _>(read).await.expect("read");
    let mut audit = Audit::default();
    let mut seen = HashMap::new();
    for row in rows {
        let key: String = row.get(0).expect("text");
        let numbers: Vec<i64> = (1..5).map(|i| row.get(i).expect("a number")).collect();
        audit.disorder += numbers[3];
        seen.insert(key, (numbers[0], numbers[1]));
    }
    for (key, count) in &published.by_key {
        let (applied, total) = seen.get(key).copied().unwrap_or_default();
        audit.lost += (count - applied).max(0);
        audit.twice += (applied - count).max(0);
        audit.wrong_sums += i64::from(total != (1..=*count).map(mixed).sum::<i64>());
    }
    audit
}

/// How many events were applied so far.
pub(crate) async fn applied(db: &Db) -> i64 {
    let read = async move |tx: &mut Tx<'_>| tx.query(&READ, &[]).await;
    let rows = db.read::<_, storage::Error, _>(read).await.expect("read");
    rows.iter()
        .map(|row| row.get::<i64>(1).expect("a number"))
        .sum()
}
