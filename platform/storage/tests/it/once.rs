//! Idempotency keys.

use storage::{Db, Error, ErrorKind, Once, Sql};

use crate::engine::{ADD, add, amount, count, engines};

const PAID: Sql =
    Sql::both("UPDATE accounts SET amount = amount + 1 WHERE id = 'a' RETURNING amount");

async fn pay(db: &Db, key: String, fingerprint: [u8; 32]) -> Result<Once<i64>, Error> {
    db.write(async move |tx| {
        tx.once("pay", &key, &fingerprint, async |tx| {
            tx.query_one(&PAID, &[]).await?.get(0)
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_with_one_key_have_one_effect() {
    for store in engines().await {
        add(&store.db, "a", 0).await.unwrap();
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let db = store.db.clone();
            all.spawn(async move { pay(&db, "k".to_owned(), [1; 32]).await });
        }
        let done: Vec<Once<i64>> = all
            .join_all()
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert!(done.iter().all(|once| once.value == 1));
        assert_eq!(done.iter().filter(|once| !once.replayed).count(), 1);
        assert_eq!(amount(&store.db, "a").await, Some(1));
        pay(&store.db, "another".to_owned(), [1; 32]).await.unwrap();
        assert_eq!(amount(&store.db, "a").await, Some(2));
    }
}

#[tokio::test]
async fn a_key_with_another_request_is_refused() {
    for store in engines().await {
        add(&store.db, "a", 0).await.unwrap();
        pay(&store.db, "k".to_owned(), [1; 32]).await.unwrap();
        let refused = pay(&store.db, "k".to_owned(), [2; 32]).await.unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::IdempotencyMismatch);
        assert_eq!(amount(&store.db, "a").await, Some(1));
    }
}

#[tokio::test]
async fn a_failure_does_not_use_the_key_up() {
    for store in engines().await {
        let failed = store.db.write(async |tx| {
            tx.once("add", "k", &[1; 32], async |tx| {
                tx.execute(&ADD, &[&"x", &"y", &1_i64]).await?;
                Err::<(), Error>(Error::new(ErrorKind::NoRow, "changed my mind"))
            })
            .await
        });
        assert_eq!(failed.await.unwrap_err().kind(), &ErrorKind::NoRow);
        // Even one who swallows the error cannot commit the key without its effects.
        let swallowed = store.db.write(async |tx| {
            let inner = tx
                .once("add", "k", &[1; 32], async |_| {
                    Err::<(), _>(Error::new(ErrorKind::NoRow, "no"))
                })
                .await;
            assert!(inner.is_err());
            Ok::<_, Error>(())
        });
        assert_eq!(swallowed.await.unwrap_err().kind(), &ErrorKind::Aborted);
        assert_eq!(count(&store.db).await, 0);
        let again = store.db.write(async |tx| {
            tx.once("add", "k", &[1; 32], async |tx| {
                tx.execute(&ADD, &[&"x", &"y", &1_i64]).await
            })
            .await
        });
        assert!(!again.await.unwrap().replayed);
    }
}

#[tokio::test]
async fn keys_are_forgotten_by_age() {
    for store in engines().await {
        add(&store.db, "a", 0).await.unwrap();
        pay(&store.db, "k".to_owned(), [1; 32]).await.unwrap();
        let now = store.db.ctx().now();
        let old = now.minus(std::time::Duration::from_secs(3_600));
        let pruned = store.db.prune_idempotency(old).await.unwrap();
        assert_eq!(pruned, 0);
        let soon = now.plus(std::time::Duration::from_secs(3_600));
        let pruned = store.db.prune_idempotency(soon).await.unwrap();
        assert_eq!(pruned, 1);
    }
}
