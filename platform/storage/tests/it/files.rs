//! One SQLite file, several processes (here: handles with threads and locks of their own).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use storage::{Db, DbOptions, ErrorKind};

use crate::engine::{MIGRATIONS, add, count, sqlite_file};

#[tokio::test(flavor = "multi_thread")]
async fn three_handles_that_write_at_once_lose_nothing() {
    let store = sqlite_file().await;
    store.db.migrate(MIGRATIONS).await.unwrap();
    let mut all = tokio::task::JoinSet::new();
    for handle in 0..3 {
        let db = store.again().await;
        for client in 0..8 {
            let db = db.clone();
            all.spawn(async move {
                for n in 0..25 {
                    add(&db, &format!("{handle}-{client}-{n}"), n)
                        .await
                        .unwrap();
                }
            });
        }
    }
    all.join_all().await;
    assert_eq!(count(&store.db).await, 3 * 8 * 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_handle_lets_another_one_in() {
    let store = sqlite_file().await;
    store.db.migrate(MIGRATIONS).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicUsize::new(0));
    let mut all = tokio::task::JoinSet::new();
    for client in 0..32 {
        let (db, stop, written) = (store.db.clone(), Arc::clone(&stop), Arc::clone(&written));
        all.spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                add(&db, &format!("{client}-{n}"), 1).await.unwrap();
                written.fetch_add(1, Ordering::Relaxed);
                n += 1;
            }
        });
    }
    // While 32 clients keep the other one busy, each of these waits for a turn or two, not for them
    // all: counted in transactions of the busy one, so that a slow machine makes no difference.
    let other = store.again().await;
    add(&other, "warm", 0).await.unwrap();
    let before = written.load(Ordering::Relaxed);
    for n in 0..20 {
        add(&other, &format!("other-{n}"), 1).await.unwrap();
    }
    let meanwhile = written.load(Ordering::Relaxed) - before;
    stop.store(true, Ordering::Relaxed);
    all.join_all().await;
    assert!(
        meanwhile < 20 * 32 * 8,
        "{meanwhile} transactions went first"
    );
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_process_is_gone() {
    let store = sqlite_file().await;
    store.db.migrate(MIGRATIONS).await.unwrap();
    let again = store.again().await;
    drop(store.db);
    add(&again, "a", 1).await.unwrap();
    assert_eq!(count(&again).await, 1);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_what_to_do() {
    let open = async |url: &str| {
        Db::open(url, DbOptions::new("links"))
            .await
            .map(drop)
            .unwrap_err()
    };
    let neither = open("mysql://x").await;
    assert_eq!(neither.kind(), &ErrorKind::Config);
    assert!(
        neither.to_string().contains("sqlite:///path/file.db"),
        "{neither}"
    );
    assert!(
        open("sqlite:///proc/nothing/here.db")
            .await
            .to_string()
            .contains("/proc/nothing")
    );
    assert_eq!(open("sqlite://").await.kind(), &ErrorKind::Config);
    let secret = open("postgres://me:se cret@[bad").await;
    assert!(!secret.to_string().contains("cret@"), "{secret}");
    let name = Db::open("sqlite::memory:", DbOptions::new("No Good"))
        .await
        .map(drop);
    assert_eq!(name.unwrap_err().kind(), &ErrorKind::Config);
}
