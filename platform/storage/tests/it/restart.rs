//! A PostgreSQL that is killed and comes back.

use std::time::Duration;

use storage::{Db, DbOptions, ErrorKind, Sql};
use testkit::Postgres;

use crate::engine::{MIGRATIONS, add, amount, count};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_loses_nothing_acknowledged_and_is_found_again() {
    let Some(mut server) = Postgres::start(true).await else {
        return;
    };
    let options = DbOptions {
        wait_max: Duration::from_secs(60),
        ..DbOptions::new("restart")
    };
    let db = Db::open(&server.url(), options).await.unwrap();
    db.migrate(MIGRATIONS).await.unwrap();
    add(&db, "before", 1).await.unwrap();
    let mut all = tokio::task::JoinSet::new();
    for client in 0..8 {
        let db = db.clone();
        all.spawn(async move {
            let mut acknowledged = Vec::new();
            for n in 0..50 {
                let id = format!("{client}-{n}");
                match add(&db, &id, 1).await {
                    Ok(_) => acknowledged.push(id),
                    // Nobody can know; the id of a request would tell.
                    Err(e) => assert_eq!(e.kind(), &ErrorKind::CommitUnknown, "{e}"),
                }
            }
            acknowledged
        });
    }
    testkit::eventually("some were written", Duration::from_secs(60), || async {
        count(&db).await > 20
    })
    .await;
    server.kill();
    server.start_again().await;
    let acknowledged: Vec<String> = all.join_all().await.concat();
    assert!(acknowledged.len() > 300, "{}", acknowledged.len());
    for id in &acknowledged {
        assert_eq!(amount(&db, id).await, Some(1), "{id} was acknowledged");
    }
}

#[tokio::test]
async fn a_postgres_that_is_not_there_is_said_to_be_unavailable() {
    let options = DbOptions {
        wait_max: Duration::from_millis(200),
        ..DbOptions::new("absent")
    };
    let db = Db::open("postgres://nobody@127.0.0.1:1/none", options)
        .await
        .unwrap();
    let error = db.migrate(MIGRATIONS).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_ends_and_frees_its_connection() {
    const SLEEP: Sql = Sql::both("SELECT pg_sleep(60)");
    let Some(server) = Postgres::shared().await else {
        return;
    };
    let options = DbOptions {
        transaction_max: Duration::from_millis(300),
        connections_max: 1,
        ..DbOptions::new("too_long")
    };
    let db = Db::open(&server.url(), options).await.unwrap();
    let late = db
        .write(async |tx| tx.query(&SLEEP, &[]).await)
        .await
        .unwrap_err();
    assert_eq!(late.kind(), &ErrorKind::Timeout, "{late}");
    let one = db
        .read(async |tx| tx.query_one(&Sql::both("SELECT 1"), &[]).await)
        .await
        .unwrap();
    assert_eq!(one.get::<i64>(0).unwrap(), 1);
}
