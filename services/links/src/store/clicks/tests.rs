//! What a look at the waiting groups finds, and what it costs.

use storage::{Db, DbOptions};
use testkit::Postgres;

use super::*;
use crate::MIGRATIONS;

async fn look(db: &Db, after: i64) -> Result<Waiting> {
    db.read(async move |tx: &mut Tx<'_>| waiting(tx, after).await)
        .await
}

async fn a_look_counts_what_is_new(db: &Db) -> Result<()> {
    db.migrate(MIGRATIONS).await?;
    assert_eq!(look(db, 0).await?, Waiting::default());
    let groups = [5_u32, 7, 11].map(|clicks| Group {
        clicks,
        data: Vec::new(),
    });
    db.write(async move |tx: &mut Tx<'_>| append(tx, &groups).await)
        .await?;
    for (after, clicks) in [(0, 23), (1, 18), (3, 0)] {
        let (first, last) = (1, 3);
        let expected = Waiting {
            first,
            last,
            clicks,
        };
        assert_eq!(look(db, after).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_look_counts_what_is_new_on_sqlite_and_goes_through_nothing_else() -> Result<()> {
    let db = Db::open("sqlite::memory:", DbOptions::new("links")).await?;
    a_look_counts_what_is_new(&db).await?;
    let explain = async |tx: &mut Tx<'_>| {
        let text = format!("EXPLAIN QUERY PLAN {}", WAITING.sqlite);
        tx.query_dyn(&text, &[&0_i64]).await
    };
    for row in db.read::<_, storage::Error, _>(explain).await? {
        let step: String = row.get(3)?;
        assert!(!step.contains("SCAN click_batches"), "{step}");
    }
    Ok(())
}

#[tokio::test]
async fn a_look_counts_what_is_new_on_postgres() -> Result<()> {
    let Some(postgres) = Postgres::shared().await else {
        return Ok(());
    };
    let db = Db::open(&postgres.url(), DbOptions::new("links_waiting")).await?;
    a_look_counts_what_is_new(&db).await
}
