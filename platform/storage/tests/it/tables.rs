//! The platform's smaller tables: inbox, cursors, knobs, dead letters.

use kernel::{Id, Timestamp};
use storage::{DeadLetter, DeadLetterCursor, Error, ErrorKind, Position};

use crate::engine::{ADD, count, engines};

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
            assert_eq!(tx.lowest_cursor().await?, None);
            assert!(tx.set_cursor("relay", Position(7)).await?);
            assert!(!tx.set_cursor("relay", Position(5)).await?);
            tx.set_cursor("slow", Position(3)).await?;
            Ok::<_, Error>((tx.cursor("relay").await?, tx.lowest_cursor().await?))
        });
        assert_eq!(moves.await.unwrap(), (Some(Position(7)), Some(Position(3))));
        let reset = store.db.write(async |tx| {
            tx.reset_cursor("relay").await?;
            tx.cursor("relay").await
        });
        assert_eq!(reset.await.unwrap(), None);
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

fn letter(n: u8) -> DeadLetter {
    DeadLetter {
        consumer: "clicks".into(),
        event_id: Id::from_u128(n.into()),
        event: vec![n],
        key: "k".into(),
        error: "cannot apply".into(),
        attempts: 5,
        died_at: Timestamp((n / 2).into()),
    }
}

#[tokio::test]
async fn dead_letters_page_and_can_be_taken_once() {
    for store in engines().await {
        store
            .db
            .write(async |tx| {
                for n in 0..7 {
                    tx.add_dead_letter(&letter(n)).await?;
                }
                tx.add_dead_letter(&letter(6)).await
            })
            .await
            .unwrap();
        let mut seen = Vec::new();
        let mut after: Option<DeadLetterCursor> = None;
        loop {
            let page = store
                .db
                .read(async move |tx| tx.dead_letters("clicks", after, 3).await);
            let page = page.await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(DeadLetterCursor {
                died_at: last.died_at,
                event_id: last.event_id,
            });
            seen.extend(page);
        }
        let order: Vec<u8> = seen.iter().map(|l| l.event[0]).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(seen[6].attempts, 10);
        let take = async || {
            store
                .db
                .write(async |tx| {
                    let taken = tx.take_dead_letter("clicks", Id::from_u128(3)).await?;
                    Ok::<_, Error>((taken, tx.count_dead_letters("clicks").await?))
                })
                .await
                .unwrap()
        };
        assert_eq!(take().await, (Some(letter(3)), 6));
        assert_eq!(take().await, (None, 6));
    }
}
