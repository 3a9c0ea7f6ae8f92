//! The platform's smaller tables: inbox, cursors, knobs.

use std::time::Duration;

use storage::{Db, DbOptions, Error, ErrorKind, Position};
use telemetry::Metrics;

use crate::engine::{ADD, count, engines, new_schema};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_arrives_twenty_times_at_once_is_applied_once() {
    for store in engines().await {
        let id = store.db.ctx().new_id();
        let mut all = tokio::task::JoinSet::new();
        for n in 0..20_i64 {
            let db = store.db.clone();
            all.spawn(async move {
                db.write(async move |tx| {
                    let accepted = tx.inbox_accept("counter", id).await?;
                    if accepted {
                        tx.execute(&ADD, &[&format!("k{n}"), &"x", &n]).await?;
                    }
                    Ok::<_, Error>(accepted)
                })
                .await
            });
        }
        let done = all.join_all().await;
        assert_eq!(done.into_iter().filter(|d| *d.as_ref().unwrap()).count(), 1);
        assert_eq!(count(&store.db).await, 1);
        let other = store
            .db
            .write(async move |tx| tx.inbox_accept("another", id).await)
            .await;
        assert!(other.unwrap());
    }
}

#[tokio::test]
async fn an_event_whose_effect_fails_is_not_accepted() {
    for store in engines().await {
        let id = store.db.ctx().new_id();
        let failed = store.db.write(async move |tx| {
            tx.inbox_accept("counter", id).await?;
            Err::<(), _>(Error::new(ErrorKind::NoRow, "cannot apply"))
        });
        assert!(failed.await.is_err());
        assert!(
            store
                .db
                .write(async move |tx| tx.inbox_accept("counter", id).await)
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn a_cursor_only_moves_forward() {
    for store in engines().await {
        let moves = store.db.write(async |tx| {
            assert_eq!(tx.cursor("relay").await?, None);
            assert!(tx.set_cursor("relay", Position(7)).await?);
            assert!(!tx.set_cursor("relay", Position(5)).await?);
            tx.set_cursor("slow", Position(3)).await?;
            tx.cursors().await
        });
        let all = [("relay", 7), ("slow", 3)].map(|(name, at)| (name.to_owned(), Position(at)));
        assert_eq!(moves.await.unwrap(), all);
        let reset = store.db.write(async |tx| {
            tx.reset_cursor("relay").await?;
            tx.cursor("relay").await
        });
        assert_eq!(reset.await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_cursor_that_gains_a_topic_begins_again_and_one_that_loses_a_topic_forgets_it() {
    for store in engines().await {
        let begin = async |topics: &[&str]| {
            let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
            let begin = store.db.write(async move |tx| {
                let at = tx.begin_cursor("reader", &topics).await?;
                assert_eq!(tx.cursor("reader").await?, Some(at));
                tx.set_cursor("reader", Position(at.0 + 10)).await?;
                Ok::<_, Error>(at.0)
            });
            begin.await.unwrap()
        };
        assert_eq!(begin(&["a"]).await, 0);
        assert_eq!(begin(&["a"]).await, 10);
        assert_eq!(begin(&["b", "a"]).await, 0, "it has passed events of b");
        assert_eq!(begin(&["a", "b"]).await, 10);
        assert_eq!(begin(&["b"]).await, 20);
        assert_eq!(begin(&["b", "a"]).await, 0, "it has passed events of a");
    }
}

#[tokio::test]
async fn a_long_inbox_is_pruned_in_several_transactions() {
    for store in engines().await {
        let metrics = Metrics::new();
        let schema = new_schema();
        let options = DbOptions::new(&schema).with_metrics(metrics.clone());
        let db = Db::open(&store.url, options).await.unwrap();
        db.migrate(&[]).await.unwrap();
        let ids: Vec<_> = (0..2_500).map(|_| db.ctx().new_id()).collect();
        let fill = db.write(async move |tx| {
            for id in &ids {
                tx.inbox_accept("counter", *id).await?;
            }
            Ok::<_, Error>(())
        });
        fill.await.unwrap();
        let engine = db.dialect().name();
        let labels = [
            ("store", schema.as_str()),
            ("engine", engine),
            ("outcome", "committed"),
        ];
        let committed = metrics.counter("storage_tx_total", "", &labels);
        let before = committed.get();
        let now = db.ctx().now();
        let pruned = db.prune_inbox(now.minus(Duration::from_secs(60))).await;
        assert_eq!(pruned.unwrap(), 0);
        let pruned = db.prune_inbox(now.plus(Duration::from_secs(60))).await;
        assert_eq!(pruned.unwrap(), 2_500);
        assert!(committed.get() - before >= 4, "at most 1,000 rows each");
    }
}

#[tokio::test]
async fn knobs_are_kept_and_count_their_changes() {
    for store in engines().await {
        let versions = store.db.write(async |tx| {
            Ok::<_, Error>((
                tx.set_knob("cache", "aside").await?,
                tx.set_knob("cache", "none").await?,
            ))
        });
        assert_eq!(versions.await.unwrap(), (1, 2));
        let knobs = store.db.read(async |tx| tx.knobs().await).await.unwrap();
        assert_eq!(knobs.len(), 1);
        assert_eq!((knobs[0].value.as_str(), knobs[0].version), ("none", 2));
    }
}
