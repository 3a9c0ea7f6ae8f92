//! Commit, rollback, isolation, errors: the same on both engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use faults::{Effect, FaultSpec, Seam, Wait};
use storage::{Db, DbOptions, Error, ErrorKind, Faults, Sql, SqlBuilder, Value};

use crate::engine::{ADD, AMOUNT, ENTER, PAY, add, amount, count, engines};

#[tokio::test]
async fn what_is_written_is_read() {
    for store in engines().await {
        add(&store.db, "a", 5).await.unwrap();
        assert_eq!(amount(&store.db, "a").await, Some(5));
        assert_eq!(amount(&store.db, "b").await, None);
    }
}

#[tokio::test]
async fn an_error_of_the_closure_rolls_everything_back() {
    for store in engines().await {
        let refused = store.db.write(async |tx| {
            tx.execute(&ADD, &[&"a", &"x", &5_i64]).await?;
            Err::<(), _>(Error::new(ErrorKind::NoRow, "changed my mind"))
        });
        assert_eq!(refused.await.unwrap_err().kind(), &ErrorKind::NoRow);
        assert_eq!(count(&store.db).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_transaction_does_not_spoil_the_others() {
    for store in engines().await {
        let mut all = tokio::task::JoinSet::new();
        for n in 0..200 {
            let db = store.db.clone();
            all.spawn(async move {
                // Every fifth takes a key that is there, after it has written something else.
                db.write(async move |tx| {
                    tx.execute(&ADD, &[&format!("k{n}"), &format!("o{n}"), &i64::from(n)])
                        .await?;
                    if n % 5 == 0 {
                        tx.execute(&ADD, &[&format!("k{n}"), &"again", &0_i64])
                            .await?;
                    }
                    Ok::<_, Error>(())
                })
                .await
            });
        }
        let done = all.join_all().await;
        assert_eq!(done.iter().filter(|d| d.is_ok()).count(), 160);
        assert!(
            done.iter()
                .filter_map(|d| d.as_ref().err())
                .all(|e| e.is_unique_violation("accounts.id"))
        );
        assert_eq!(count(&store.db).await, 160);
    }
}

#[tokio::test]
async fn after_a_failed_statement_nothing_can_be_committed() {
    for store in engines().await {
        add(&store.db, "a", 5).await.unwrap();
        let forgot = store.db.write(async |tx| {
            let twice = tx.execute(&ADD, &[&"a", &"x", &5_i64]).await;
            assert!(twice.is_err());
            let next = tx.execute(&ADD, &[&"b", &"x", &5_i64]).await;
            assert_eq!(next.unwrap_err().kind(), &ErrorKind::Aborted);
            Ok::<_, Error>(())
        });
        assert_eq!(forgot.await.unwrap_err().kind(), &ErrorKind::Aborted);
        assert_eq!(count(&store.db).await, 1);
    }
}

#[tokio::test]
async fn constraints_have_one_name_on_both_engines() {
    for store in engines().await {
        let db = &store.db;
        add(db, "a", 5).await.unwrap();
        let twice = db.write(async |tx| tx.execute(&ADD, &[&"a", &"x", &6_i64]).await);
        let twice = twice.await.unwrap_err();
        assert!(twice.is_unique_violation("accounts.id"), "{twice:?}");
        let pair = db.write(async |tx| {
            tx.execute(&ENTER, &[&"a", &None::<Vec<u8>>, &0.5]).await?;
            tx.execute(&ENTER, &[&"a", &None::<Vec<u8>>, &0.5]).await
        });
        assert!(
            pair.await
                .unwrap_err()
                .is_unique_violation("entries.account,rate")
        );
        let lower = db
            .write(async |tx| tx.execute(&ADD, &[&"b", &"OWNER OF A", &5_i64]).await)
            .await;
        assert!(lower.unwrap_err().is_unique_violation("accounts_lower"));
        let negative = add(db, "n", -1).await.unwrap_err();
        assert_eq!(negative.kind(), &ErrorKind::CheckViolation);
        // A deferred foreign key shows at the commit, and must not spoil its neighbours.
        let (orphan, fine) = tokio::join!(
            db.write(async |tx| tx
                .execute(&ENTER, &[&"nobody", &None::<Vec<u8>>, &0.5])
                .await),
            add(db, "c", 1),
        );
        assert_eq!(orphan.unwrap_err().kind(), &ErrorKind::ForeignKeyViolation);
        fine.unwrap();
    }
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    const GET: Sql = Sql::both("SELECT account, note, rate, seq FROM entries");
    const ECHO: Sql = Sql::both("SELECT CAST($2 AS TEXT), CAST($1 AS BIGINT), CAST($2 AS TEXT)");
    for store in engines().await {
        add(&store.db, "ü ' \" $1", 5).await.unwrap();
        let row = store
            .db
            .write(async |tx| {
                tx.execute(&ENTER, &[&"ü ' \" $1", &vec![0_u8, 255], &0.25])
                    .await?;
                tx.query_one(&GET, &[]).await
            })
            .await
            .unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "ü ' \" $1");
        assert_eq!(row.get::<Option<Vec<u8>>>(1).unwrap(), Some(vec![0, 255]));
        assert!((row.get::<f64>(2).unwrap() - 0.25).abs() < f64::EPSILON);
        assert!(row.get::<bool>(3).unwrap());
        assert_eq!(row.get::<String>(3).unwrap_err().kind(), &ErrorKind::Type);
        assert_eq!(row.get::<i64>(9).unwrap_err().kind(), &ErrorKind::Type);
        let echo = store
            .db
            .read(async |tx| tx.query_one(&ECHO, &[&7_i64, &"x"]).await)
            .await
            .unwrap();
        assert_eq!(
            (echo.get::<String>(0).unwrap(), echo.get::<i64>(1).unwrap()),
            ("x".into(), 7)
        );
    }
}

#[tokio::test]
async fn a_read_cannot_write() {
    for store in engines().await {
        let wrote = store
            .db
            .read(async |tx| tx.execute(&ADD, &[&"a", &"x", &5_i64]).await)
            .await;
        assert!(wrote.is_err());
        assert_eq!(count(&store.db).await, 0);
        add(&store.db, "a", 1).await.unwrap();
    }
}

#[tokio::test]
async fn many_rows_and_built_statements() {
    for store in engines().await {
        let rows: Vec<Vec<Value>> = (0..1_000_i64)
            .map(|n| vec![format!("k{n}").into(), format!("o{n}").into(), n.into()])
            .collect();
        let sum = store
            .db
            .write(async move |tx| tx.execute_many(&ADD, &rows).await)
            .await
            .unwrap();
        assert_eq!(sum, 1_000);
        let found = store.db.read(async |tx| {
            let mut sql = SqlBuilder::new("SELECT id FROM accounts WHERE id IN ");
            sql.bind_list(["k1", "k2", "none"])
                .push(" AND amount > ")
                .bind(1_i64);
            tx.query_built(&sql).await
        });
        let found = found.await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].get::<String>(0).unwrap(), "k2");
    }
}

const OF_OWNER: Sql =
    Sql::both("SELECT amount FROM accounts WHERE owner = $1 AND amount > $2 ORDER BY amount DESC");

#[tokio::test]
async fn many_statements_answer_the_first_row_of_each_in_their_order() {
    for store in engines().await {
        add(&store.db, "first", 1).await.unwrap();
        let found = store.db.write(async |tx| {
            let accounts: Vec<[Value; 3]> = (0..1_000_i64)
                .map(|n| {
                    [
                        format!("k{n}").into(),
                        format!("o{}", n % 500).into(),
                        n.into(),
                    ]
                })
                .collect();
            tx.execute_many(&ADD, &accounts).await?;
            // More of them than travel at once, and half of them find nothing.
            let asked: Vec<[Value; 2]> = (0..1_000_i64)
                .map(|n| [format!("o{n}").into(), 10_i64.into()])
                .rev()
                .collect();
            tx.query_many(&OF_OWNER, &asked).await
        });
        let found = found.await.unwrap();
        let amounts: Vec<Option<i64>> = found
            .iter()
            .map(|row| row.as_ref().map(|row| row.get(0).unwrap()))
            .collect();
        let expected = (0..1_000).rev().map(|n| (n < 500).then_some(n + 500));
        assert_eq!(amounts, expected.collect::<Vec<_>>());
    }
}

const OPEN: Sql =
    Sql::both("INSERT INTO accounts (id, owner, amount) VALUES ($1, 'x', $2) RETURNING amount");

#[tokio::test]
async fn one_that_fails_among_many_statements_fails_the_transaction() {
    for store in engines().await {
        let caught = store.db.write(async |tx| {
            let twice: [[Value; 2]; 2] = [1_i64, 2].map(|n| ["a".into(), n.into()]);
            let opened = tx.query_many(&OPEN, &twice).await;
            Ok::<_, Error>(opened.is_err_and(|e| e.is_unique_violation("accounts.id")))
        });
        assert!(caught.await.is_err(), "what was caught cannot be committed");
        assert_eq!(count(&store.db).await, 0);
        let opened = store.db.write(async |tx| {
            let both: [[Value; 2]; 2] = [("a", 1_i64), ("b", 2)].map(|(k, n)| [k.into(), n.into()]);
            tx.query_many(&OPEN, &both).await
        });
        assert!(opened.await.unwrap().iter().all(Option::is_some));
        assert_eq!(count(&store.db).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_under_load_keep_the_sum() {
    for store in engines().await {
        for n in 0..4 {
            add(&store.db, &format!("k{n}"), 1_000).await.unwrap();
        }
        let runs = Arc::new(AtomicU32::new(0));
        let mut all = tokio::task::JoinSet::new();
        for n in 0..32_i64 {
            let (db, runs) = (store.db.clone(), Arc::clone(&runs));
            all.spawn(async move {
                let (from, to) = (format!("k{}", n % 4), format!("k{}", (n / 4 + 1 + n) % 4));
                db.write(async move |tx| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    // On PostgreSQL the two orders deadlock now and then, and are tried again.
                    tx.execute(&PAY, &[&from, &-1_i64]).await?;
                    tx.execute(&PAY, &[&to, &1_i64]).await.map(drop)
                })
                .await
            });
        }
        for done in all.join_all().await {
            done.unwrap();
        }
        let mut sum = 0;
        for n in 0..4 {
            sum += amount(&store.db, &format!("k{n}")).await.unwrap();
        }
        assert_eq!(sum, 4_000);
        assert!(runs.load(Ordering::Relaxed) >= 32);
    }
}

#[tokio::test]
async fn a_panic_or_a_foreign_wait_ends_one_transaction_only() {
    for store in engines().await {
        let db = &store.db;
        let panicked = db.write(async |tx| {
            tx.execute(&ADD, &[&"a", &"x", &1_i64]).await?;
            if tx.now().micros() > 0 {
                panic!("planted");
            }
            Ok::<_, Error>(())
        });
        assert_eq!(panicked.await.unwrap_err().kind(), &ErrorKind::Internal);
        add(db, "b", 1).await.unwrap();
        assert_eq!(count(db).await, 1);
    }
    let store = &engines().await[0];
    let waits = store.db.write(async |_| {
        std::future::pending::<()>().await;
        Ok::<_, Error>(())
    });
    assert_eq!(waits.await.unwrap_err().kind(), &ErrorKind::Internal);
    add(&store.db, "b", 1).await.unwrap();
}

#[tokio::test]
async fn injected_faults_fail_commits_and_end() {
    for store in engines().await {
        let db = &store.db;
        db.faults().fail_commits(1, Duration::from_secs(60));
        assert_eq!(
            add(db, "a", 1).await.unwrap_err().kind(),
            &ErrorKind::CommitFailed
        );
        add(db, "a", 1).await.unwrap();
        db.faults().stall_writer(Duration::from_secs(60));
        let (stalled, ()) = tokio::join!(add(db, "b", 1), async {
            // In memory the one connection reads too, and is stalled with it.
            if !store.url.ends_with(":memory:") {
                assert_eq!(count(db).await, 1);
            }
            db.faults().clear();
        });
        stalled.unwrap();
        assert_eq!(count(db).await, 2);
    }
}

#[tokio::test]
async fn a_disk_is_full_and_reads_are_slow_until_the_lease_ends() {
    for store in engines().await {
        let faults = faults::Faults::default();
        let options = DbOptions::new("faulty").with_faults(Faults::of(faults.clone(), "faulty"));
        let db = Db::open(&store.url, options).await.unwrap();
        let full = FaultSpec::new(Seam::Storage, Effect::DiskFull, 3_600_000);
        faults.inject(full.clone().on("another")).unwrap();
        let write = async || db.write(async |_| Ok::<_, Error>(())).await;
        write().await.unwrap();
        let fault = faults.inject(full.on("faulty")).unwrap();
        assert_eq!(write().await.unwrap_err().kind(), &ErrorKind::Full);
        faults.end(&fault.id);
        write().await.unwrap();
        let wait = Wait {
            ms: 3_600_000,
            jitter_ms: 0,
        };
        let slow = FaultSpec::new(Seam::Storage, Effect::SlowRead(wait), 300);
        let start = std::time::Instant::now();
        faults.inject(slow).unwrap();
        db.read(async |_| Ok::<_, Error>(())).await.unwrap();
        assert!(
            start.elapsed() >= Duration::from_millis(300),
            "held up until the end of its lease"
        );
        assert_eq!(faults.list().len(), 1, "the other one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_sees_one_snapshot() {
    for store in engines().await {
        if store.url.ends_with(":memory:") {
            continue;
        }
        add(&store.db, "a", 1).await.unwrap();
        let writer = store.db.clone();
        let handle = tokio::runtime::Handle::current();
        let seen = store.db.read(async move |tx| {
            let before: i64 = tx.query_one(&AMOUNT, &[&"a"]).await?.get(0)?;
            // A thread of its own, because the closure is to wait for nothing else; this test is why.
            let (writer, handle) = (writer.clone(), handle.clone());
            std::thread::spawn(move || {
                handle.block_on(writer.write(async |tx| tx.execute(&PAY, &[&"a", &1_i64]).await))
            })
            .join()
            .unwrap()?;
            let after: i64 = tx.query_one(&AMOUNT, &[&"a"]).await?.get(0)?;
            Ok::<_, Error>((before, after))
        });
        assert_eq!(seen.await.unwrap(), (1, 1));
        assert_eq!(amount(&store.db, "a").await, Some(2));
    }
}
