//! The outbox is read in commit order without gaps.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use kernel::Timestamp;
use storage::{Db, EVENT_BYTES_MAX, Error, ErrorKind, OutboxEvent, OutboxRow, Position, Sql};

use crate::engine::{ADD, PAY, add, count, engines, postgres};

const NAIVE: Sql =
    Sql::both("SELECT seq FROM platform_outbox WHERE seq > $1 ORDER BY seq LIMIT 100");
const GIVE_AGAIN: Sql = Sql::both("SELECT setval('platform_outbox_seq', $1)");
const VERSION: Sql = Sql::both("SELECT amount FROM accounts WHERE id = $1");

fn event(key: &str, payload: i64) -> OutboxEvent {
    OutboxEvent {
        topic: "accounts".into(),
        key: key.into(),
        kind: "paid".into(),
        payload: payload.to_string().into_bytes(),
    }
}

async fn publish(db: &Db, key: &'static str, payload: i64) -> Result<kernel::Id, Error> {
    db.write(async move |tx| tx.publish(&event(key, payload)).await)
        .await
}

/// Changes the account, then publishes the version that it has now.
async fn pay(db: &Db, key: String, slow: bool) -> Result<(), Error> {
    db.write(async move |tx| {
        tx.execute(&PAY, &[&key, &1_i64]).await?;
        let version: i64 = tx.query_one(&VERSION, &[&key]).await?.get(0)?;
        tx.publish(&event(&key, version)).await?;
        if slow {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_event_leaves_with_its_transaction_or_not_at_all() {
    for store in engines().await {
        let mut commits = store.db.subscribe_commits();
        let failed = store.db.write(async |tx| {
            tx.publish(&event("a", 1)).await?;
            Err::<(), _>(Error::new(ErrorKind::NoRow, "changed my mind"))
        });
        assert!(failed.await.is_err());
        assert!(!commits.has_changed().unwrap());
        let id = publish(&store.db, "a", 2).await.unwrap();
        commits.changed().await.unwrap();
        let rows = store.db.read_outbox(Position::START, 10).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].id, rows[0].payload.as_slice()), (id, &b"2"[..]));
        assert_eq!(
            store.db.read_outbox(rows[0].position, 10).await.unwrap(),
            []
        );
        let lag = store
            .db
            .read(async |tx| tx.outbox_lag(Position::START, 100).await)
            .await
            .unwrap();
        assert_eq!(lag, (1, Some(rows[0].at)));
    }
}

#[tokio::test]
async fn a_reader_waits_for_a_transaction_with_a_lower_number() {
    let Some(store) = postgres().await else {
        return;
    };
    store.db.migrate(&[]).await.unwrap();
    let (published, mut first_published) = tokio::sync::mpsc::channel(1);
    let (go_on, wait) = tokio::sync::watch::channel(false);
    let db = store.db.clone();
    // It has number 1, and stays open.
    let slow = async move {
        db.write(async move |tx| {
            tx.publish(&event("a", 1)).await?;
            let _ = published.send(()).await;
            let _ = wait.clone().wait_for(|go| *go).await;
            Ok::<_, Error>(())
        })
        .await
    };
    let meanwhile = async {
        first_published.recv().await.unwrap();
        publish(&store.db, "b", 2).await.unwrap();
        // The planted reader, which orders by number alone, sees 2, moves on, and will miss 1.
        let naive = store
            .db
            .read(async |tx| tx.query(&NAIVE, &[&0_i64]).await)
            .await
            .unwrap();
        let naive: Vec<i64> = naive.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(naive, [2]);
        assert_eq!(store.db.read_outbox(Position::START, 10).await.unwrap(), []);
        go_on.send_replace(true);
    };
    let (slow, ()) = tokio::join!(slow, meanwhile);
    slow.unwrap();
    let missed = store
        .db
        .read(async |tx| tx.query(&NAIVE, &[&2_i64]).await)
        .await
        .unwrap();
    assert!(missed.is_empty(), "the naive reader never sees 1");
    let rows = store.db.read_outbox(Position::START, 10).await.unwrap();
    let order: Vec<i64> = rows.iter().map(|row| row.position.0).collect();
    assert_eq!(order, [1, 2]);
}

#[tokio::test]
async fn a_transaction_that_announces_after_the_reader_has_looked_holds_nobody_up() {
    let Some(store) = postgres().await else {
        return;
    };
    store.db.migrate(&[]).await.unwrap();
    for n in 1..=5 {
        publish(&store.db, "a", n).await.unwrap();
    }
    let (published, mut has_published) = tokio::sync::mpsc::channel(1);
    let (go_on, wait) = tokio::sync::watch::channel(false);
    // It announces that its events stand after 5.
    let later = store.db.write(async move |tx| {
        tx.publish(&event("b", 1)).await?;
        let _ = published.send(()).await;
        let _ = wait.clone().wait_for(|go| *go).await;
        Ok::<_, Error>(())
    });
    let reader = async {
        has_published.recv().await.unwrap();
        // The reader has looked before: the number given last was 3.
        let look = store
            .db
            .write(async |tx| tx.query_one(&GIVE_AGAIN, &[&3_i64]).await);
        look.await.unwrap();
        let rows = store.db.read_outbox(Position::START, 10).await.unwrap();
        let order: Vec<i64> = rows.iter().map(|row| row.position.0).collect();
        assert_eq!(order, [1, 2, 3]);
        go_on.send_replace(true);
    };
    let (later, ()) = tokio::join!(later, reader);
    later.unwrap();
}

#[tokio::test]
async fn a_transaction_that_does_not_publish_holds_nobody_up() {
    let Some(store) = postgres().await else {
        return;
    };
    store.db.migrate(crate::engine::MIGRATIONS).await.unwrap();
    add(&store.db, "a", 0).await.unwrap();
    let (wrote, mut has_written) = tokio::sync::mpsc::channel(1);
    let (go_on, wait) = tokio::sync::watch::channel(false);
    let long = store.db.write(async move |tx| {
        tx.execute(&PAY, &[&"a", &1_i64]).await?;
        let _ = wrote.send(()).await;
        let _ = wait.clone().wait_for(|go| *go).await;
        Ok::<_, Error>(())
    });
    let meanwhile = async {
        has_written.recv().await.unwrap();
        publish(&store.db, "b", 1).await.unwrap();
        assert_eq!(
            store
                .db
                .read_outbox(Position::START, 10)
                .await
                .unwrap()
                .len(),
            1
        );
        go_on.send_replace(true);
    };
    let (long, ()) = tokio::join!(long, meanwhile);
    long.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_writers_and_a_reader_lose_nothing_and_keep_each_keys_order() {
    const WRITERS: usize = 16;
    const EACH: usize = 40;
    for store in engines().await {
        for key in 0..4 {
            add(&store.db, &format!("k{key}"), 0).await.unwrap();
        }
        let mut all = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let db = store.db.clone();
            all.spawn(async move {
                for n in 0..EACH {
                    pay(&db, format!("k{}", (writer + n) % 4), n % 3 == 0)
                        .await
                        .unwrap();
                }
            });
        }
        let mut seen: Vec<OutboxRow> = Vec::new();
        let end = std::time::Instant::now() + Duration::from_secs(120);
        while seen.len() < WRITERS * EACH && std::time::Instant::now() < end {
            let after = seen.last().map_or(Position::START, |row| row.position);
            let rows = store.db.read_outbox(after, 50).await.unwrap();
            if rows.is_empty() {
                tokio::task::yield_now().await;
            }
            seen.extend(rows);
        }
        all.join_all().await;
        assert_eq!(seen.len(), WRITERS * EACH, "{}", store.url);
        let ids: HashSet<_> = seen.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), seen.len());
        let mut versions: HashMap<&str, i64> = HashMap::new();
        for row in &seen {
            let version: i64 = std::str::from_utf8(&row.payload).unwrap().parse().unwrap();
            let before = versions.insert(&row.key, version).unwrap_or(0);
            assert_eq!(version, before + 1, "{} out of order", row.key);
        }
    }
}

#[tokio::test]
async fn old_events_are_pruned_but_never_the_newest() {
    for store in engines().await {
        for n in 0..5 {
            publish(&store.db, "a", n).await.unwrap();
        }
        let soon = store.db.ctx().now().plus(Duration::from_secs(60));
        let prune = async |upto: i64, limit: u32| {
            store
                .db
                .write(async move |tx| tx.prune_outbox(soon, Position(upto), limit).await)
                .await
                .unwrap()
        };
        assert_eq!(prune(2, 100).await, 2);
        assert_eq!(prune(100, 1).await, 1);
        assert_eq!(prune(100, 100).await, 1);
        assert_eq!(prune(100, 100).await, 0);
        publish(&store.db, "a", 6).await.unwrap();
        let rows = store.db.read_outbox(Position(5), 10).await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.position.0).collect::<Vec<_>>(),
            [6]
        );
    }
}

#[tokio::test]
async fn pruning_looks_at_no_more_events_than_it_may_delete() {
    for store in engines().await {
        let start = Timestamp::from_secs(10_000);
        let (clock, db) = store.by_clock(start).await;
        // The first is the youngest, so that whoever looks further finds something.
        for n in 0..5 {
            publish(&db, "a", n).await.unwrap();
            clock.set(start.minus(Duration::from_secs(60)));
        }
        let prune = async |limit: u32| {
            db.write(async move |tx| tx.prune_outbox(start, Position(100), limit).await)
                .await
                .unwrap()
        };
        assert_eq!(prune(1).await, 0);
        assert_eq!(prune(3).await, 2);
    }
}

#[tokio::test]
async fn an_event_that_no_carrier_has_room_for_is_refused_with_its_transaction() {
    for store in engines().await {
        let large = |payload: usize, key: usize| OutboxEvent {
            payload: vec![b'1'; payload],
            key: "k".repeat(key),
            ..event("", 1)
        };
        let publish = async |event: OutboxEvent| {
            store
                .db
                .write(async move |tx| {
                    tx.execute(&ADD, &[&"a", &"owner", &1_i64]).await?;
                    tx.publish(&event).await.map(drop)
                })
                .await
        };
        for (event, part) in [
            (large(EVENT_BYTES_MAX + 1, 1), "payload"),
            (large(1, 1_025), "key"),
        ] {
            let refused = publish(event).await.unwrap_err();
            assert_eq!(refused.kind(), &ErrorKind::CheckViolation);
            assert!(refused.to_string().contains(part), "{refused}");
            assert_eq!(count(&store.db).await, 0, "{part}");
        }
        publish(large(EVENT_BYTES_MAX, 1_024)).await.unwrap();
        assert_eq!(count(&store.db).await, 1);
    }
}
