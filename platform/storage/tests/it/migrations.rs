//! Migrations: once each, by whoever comes first, and never changed afterwards.

use std::time::Duration;

use storage::{Db, DbOptions, ErrorKind, Migration, Position, Sql};

use crate::engine::{MIGRATIONS, Store, add, count, engines, postgres, sqlite_file};

const MORE: Migration = Migration {
    version: 2,
    name: "tags",
    sqlite: "CREATE TABLE tags (name TEXT NOT NULL PRIMARY KEY) STRICT;",
    postgres: "CREATE TABLE tags (name TEXT NOT NULL PRIMARY KEY);",
};
const STEPS: Sql = Sql::both("SELECT count(*) FROM platform_migrations WHERE scope = 'service'");

async fn steps(db: &Db) -> i64 {
    db.read(async |tx| tx.query_one(&STEPS, &[]).await?.get(0))
        .await
        .unwrap()
}

async fn empty() -> Vec<Store> {
    let mut stores = vec![sqlite_file().await];
    stores.extend(postgres().await);
    stores
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_that_migrate_at_once_do_it_once() {
    for store in empty().await {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let db = store.again().await;
            all.spawn(async move { db.migrate(&[MIGRATIONS[0], MORE]).await });
        }
        for done in all.join_all().await {
            done.unwrap();
        }
        assert_eq!(steps(&store.db).await, 2);
        add(&store.db, "a", 1).await.unwrap();
    }
}

/// Holds the file as another process does whose migration takes long.
fn hold(store: &Store) -> rusqlite::Connection {
    let path = store.url.strip_prefix("sqlite://").expect("a file");
    let holder = rusqlite::Connection::open(path).expect("the file");
    holder.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    holder
}

async fn impatient(store: &Store) -> Db {
    let options = DbOptions {
        wait_max: Duration::from_millis(20),
        ..DbOptions::new(&store.schema)
    };
    Db::open(&store.url, options).await.unwrap()
}

#[tokio::test]
async fn a_process_waits_for_another_whose_migration_takes_long() {
    let store = sqlite_file().await;
    let db = impatient(&store).await;
    let holder = hold(&store);
    let mut migrating = Box::pin(db.migrate(MIGRATIONS));
    let early = tokio::time::timeout(Duration::from_millis(500), &mut migrating).await;
    assert!(early.is_err(), "it waits, and does not give up: {early:?}");
    holder.execute_batch("COMMIT").unwrap();
    migrating.await.unwrap();
    assert_eq!(steps(&db).await, 1);
}

#[tokio::test]
async fn a_writer_waits_for_another_process_as_long_as_it_is_told_and_not_longer() {
    let store = sqlite_file().await;
    store.db.migrate(MIGRATIONS).await.unwrap();
    let db = impatient(&store).await;
    let _holder = hold(&store);
    // Well below the five seconds that the driver waits by itself.
    let refused = tokio::time::timeout(Duration::from_secs(4), add(&db, "a", 1)).await;
    let refused = refused.expect("an answer").expect_err("the file is held");
    assert_eq!(refused.kind(), &ErrorKind::Busy);
}

#[tokio::test]
async fn a_changed_migration_is_refused_and_nothing_else_is_applied() {
    for store in engines().await {
        let changed = Migration {
            sqlite: "CREATE TABLE other (a TEXT) STRICT",
            postgres: "CREATE TABLE other (a TEXT)",
            ..MIGRATIONS[0]
        };
        let refused = store.db.migrate(&[changed, MORE]).await.unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Migration);
        assert!(
            refused.to_string().contains("'accounts' was changed"),
            "{refused}"
        );
        assert_eq!(steps(&store.db).await, 1);
    }
}

#[tokio::test]
async fn an_older_program_runs_on_beside_a_newer_one() {
    for store in engines().await {
        store.db.migrate(&[MIGRATIONS[0], MORE]).await.unwrap();
        store.db.migrate(MIGRATIONS).await.unwrap();
        assert_eq!(steps(&store.db).await, 2);
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    for store in engines().await {
        let broken = Migration {
            version: 2,
            name: "broken",
            sqlite: "CREATE TABLE half (a TEXT) STRICT; SELECT nonsense FROM nowhere;",
            postgres: "CREATE TABLE half (a TEXT); SELECT nonsense FROM nowhere;",
        };
        let failed = store
            .db
            .migrate(&[MIGRATIONS[0], broken])
            .await
            .unwrap_err();
        assert!(
            failed.to_string().contains("migration 2 'broken' failed"),
            "{failed}"
        );
        let prepared = store
            .db
            .prepare_all(&[Sql::both("SELECT a FROM half")])
            .await;
        assert!(prepared.is_err(), "the table was rolled back");
        assert_eq!(count(&store.db).await, 0);
    }
}

#[tokio::test]
async fn numbers_with_a_hole_are_refused() {
    let store = sqlite_file().await;
    let hole = Migration { version: 3, ..MORE };
    let refused = store.db.migrate(&[MIGRATIONS[0], hole]).await.unwrap_err();
    assert!(
        refused.to_string().contains("stands where 2 should"),
        "{refused}"
    );
}

#[tokio::test]
async fn every_wrong_statement_is_found_by_preparing() {
    for store in engines().await {
        let fine = Sql::both("UPDATE accounts SET amount = $1 WHERE id = $2");
        let wrong = Sql::both("SELECT colour FROM accounts");
        store.db.prepare_all(&[fine]).await.unwrap();
        let found = store
            .db
            .prepare_all(&[fine, wrong, fine])
            .await
            .unwrap_err();
        assert!(found.to_string().contains("SELECT colour"), "{found}");
        assert_eq!(found.to_string().lines().count(), 1);
    }
}

/// What the platform's second migration found in databases of earlier versions.
const EARLIER: [Sql; 4] = [
    Sql::both("DELETE FROM platform_migrations WHERE scope = 'platform' AND version = 2"),
    Sql::both("CREATE TABLE platform_dead_letters (consumer TEXT NOT NULL PRIMARY KEY)"),
    Sql::both("ALTER TABLE platform_cursors DROP COLUMN topics"),
    Sql::both("INSERT INTO platform_cursors (name, position, moved_at) VALUES ('bus.a', 7, 1)"),
];
const PARK: Sql = Sql::both(
    "INSERT INTO bus_parked (consumer, event_id, scope, seq, event, state, attempts, error, due_at,
       parked_at, behind) VALUES ('a', 'b', 'c', 1, $1, 'dead', 1, '', 1, 1, 0)",
);
const PARKED: Sql = Sql::both("SELECT event_id FROM bus_parked");

#[tokio::test]
async fn what_an_earlier_version_has_parked_is_kept() {
    for store in engines().await {
        let undo = store.db.write(async |tx| {
            for sql in &EARLIER {
                tx.execute(sql, &[]).await?;
            }
            tx.execute(&PARK, &[&vec![1_u8]]).await
        });
        undo.await.unwrap();
        store.db.migrate(MIGRATIONS).await.unwrap();
        let kept = store.db.write(async |tx| {
            let parked: String = tx.query_one(&PARKED, &[]).await?.get(0)?;
            let before = tx.cursor("bus.a").await?;
            let after = tx.begin_cursor("bus.a", &["topic".to_owned()]).await?;
            Ok::<_, storage::Error>((parked, before, after))
        });
        let (parked, before, after) = kept.await.unwrap();
        assert_eq!((parked.as_str(), before), ("b", Some(Position(7))));
        // Nobody noted which topics it has passed.
        assert_eq!(after, Position::START);
    }
}
