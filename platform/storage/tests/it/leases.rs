//! Leases are held by one at a time.

use std::time::Duration;

use kernel::Timestamp;
use storage::{Db, Lease};

use crate::engine::engines;

const TTL: Duration = Duration::from_secs(10);

async fn claim(db: &Db, holder: &str) -> Option<Lease> {
    let holder = holder.to_owned();
    db.write(async move |tx| tx.claim_lease("relay", &holder, TTL).await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_claims_at_once_one_wins() {
    for store in engines().await {
        for round in 0..20 {
            let name = format!("job {round}");
            let mut all = tokio::task::JoinSet::new();
            for holder in 0..16 {
                let (db, name) = (store.db.clone(), name.clone());
                all.spawn(async move {
                    db.write(async move |tx| {
                        tx.claim_lease(&name, &format!("h{holder}"), TTL).await
                    })
                    .await
                });
            }
            let won = all
                .join_all()
                .await
                .into_iter()
                .filter(|d| d.as_ref().unwrap().is_some());
            assert_eq!(won.count(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn a_lease_is_renewed_passes_on_when_it_ends_and_fences() {
    for store in engines().await {
        let (clock, db) = store.by_clock(Timestamp::from_secs(1_000)).await;

        let first = claim(&db, "a").await.unwrap();
        assert!(claim(&db, "b").await.is_none());
        clock.advance(Duration::from_secs(9));
        assert_eq!(claim(&db, "a").await.unwrap().fence, first.fence, "renewed");
        clock.advance(Duration::from_secs(9));
        assert!(claim(&db, "b").await.is_none());
        clock.advance(Duration::from_secs(1));
        let second = claim(&db, "b").await.unwrap();
        assert!(second.fence > first.fence);

        let late = first.clone();
        assert!(
            !db.write(async move |tx| tx.release_lease(&late).await)
                .await
                .unwrap()
        );
        let held = db
            .read(async |tx| tx.lease_holder("relay").await)
            .await
            .unwrap();
        assert_eq!(held.as_ref().map(|lease| lease.holder.as_str()), Some("b"));
        assert!(
            db.write(async move |tx| tx.release_lease(&second).await)
                .await
                .unwrap()
        );
        assert!(claim(&db, "a").await.unwrap().fence > first.fence + 1);
    }
}

#[tokio::test]
async fn a_lease_that_a_clock_left_in_the_future_is_taken() {
    for store in engines().await {
        let start = Timestamp::from_secs(10_000);
        let (clock, db) = store.by_clock(start).await;

        let first = claim(&db, "a").await.unwrap();
        clock.set(start.minus(TTL));
        assert!(claim(&db, "b").await.is_none(), "clocks differ a little");
        clock.set(start.minus(Duration::from_secs(3_600)));
        let renewed = claim(&db, "a").await.unwrap();
        assert_eq!(renewed.fence, first.fence, "its holder goes on");

        clock.set(start);
        claim(&db, "a").await.unwrap();
        // It crashes, and the clock is set back.
        clock.set(start.minus(Duration::from_secs(3_600)));
        let second = claim(&db, "b").await.unwrap();
        assert!(second.fence > first.fence);
    }
}
