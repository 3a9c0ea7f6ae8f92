//! What a look finds, and how long it holds.

use storage::{Db, DbOptions};
use testkit::Postgres;

use super::*;
use crate::MIGRATIONS;
use crate::domain::agent::Platform;
use crate::domain::batch::{Record, Writer};
use crate::store::clicks::{self, Group};

#[test]
fn numbers_come_out_as_they_went_in_and_the_newest_stay() {
    let mut hops = Hops::default();
    let count = (PARTS_MAX * PART_BYTES_MAX / HOP) as u64 + 1;
    (1..=count).for_each(|hop| hops.push(hop));
    let kept: Vec<u64> = hops
        .into_parts()
        .flat_map(|part| unpack(&part).collect::<Vec<_>>())
        .collect();
    assert_eq!(kept.last(), Some(&count));
    assert!(kept.len() <= PARTS_MAX * PART_BYTES_MAX / HOP);
    assert!(kept.is_sorted() && kept[0] > 1);
}

/// A group with the click of one request.
fn group(hop: u64) -> Group {
    let mut writer = Writer::new(0, std::iter::empty::<&str>(), 1);
    writer.push(&Record {
        link: 1,
        visitor: 1,
        at_ms: 0,
        platform: Platform::of(1),
        bot: false,
        head: false,
        referrer: None,
        language: None,
        hop,
    });
    Group {
        clicks: 1,
        data: writer.finish(),
    }
}

async fn looked(db: &Db) -> Result<Look> {
    db.read(async |tx: &mut Tx<'_>| look(tx, &BTreeSet::from([7, 8])).await)
        .await
}

async fn claimed(db: &Db, look: Look) -> Result<Option<HashSet<u64>>> {
    db.write(async move |tx: &mut Tx<'_>| claim(tx, &look).await)
        .await
}

/// A click of the first replica that commits after the look would be folded without the claim.
async fn a_look_holds_until_a_fold_begins(db: Db) -> Result<()> {
    db.migrate(MIGRATIONS).await?;
    db.write(async |tx: &mut Tx<'_>| clicks::append(tx, &[group(7)]).await)
        .await?;
    let before = looked(&db).await?;
    assert_eq!(before.missing, BTreeSet::from([8]));
    db.write(async |tx: &mut Tx<'_>| clicks::append(tx, &[group(8)]).await)
        .await?;
    let fold = db
        .write(async |tx: &mut Tx<'_>| fold::begin(tx, i64::MAX, 1_000).await)
        .await?;
    assert!(fold.is_some());
    assert_eq!(claimed(&db, before).await?, None);
    assert!(looked(&db).await?.found_all());
    Ok(())
}

async fn a_number_is_claimed_once(db: Db) -> Result<()> {
    db.migrate(MIGRATIONS).await?;
    let look = looked(&db).await?;
    let both = HashSet::from([7, 8]);
    assert_eq!(claimed(&db, look.clone()).await?, Some(both));
    assert_eq!(claimed(&db, look).await?, Some(HashSet::new()));
    Ok(())
}

async fn sqlite() -> Db {
    let db = Db::open("sqlite::memory:", DbOptions::new("links")).await;
    db.expect("a database")
}

async fn postgres(schema: &str) -> Option<Db> {
    let url = Postgres::shared().await?.url();
    let db = Db::open(&url, DbOptions::new(schema)).await;
    Some(db.expect("a database"))
}

#[tokio::test]
async fn a_look_holds_until_a_fold_begins_on_sqlite() {
    let done = a_look_holds_until_a_fold_begins(sqlite().await).await;
    done.expect("a store");
}

#[tokio::test]
async fn a_look_holds_until_a_fold_begins_on_postgres() {
    let Some(db) = postgres("links_look").await else {
        return;
    };
    a_look_holds_until_a_fold_begins(db).await.expect("a store");
}

#[tokio::test]
async fn a_number_is_claimed_once_on_sqlite() {
    let done = a_number_is_claimed_once(sqlite().await).await;
    done.expect("a store");
}

#[tokio::test]
async fn a_number_is_claimed_once_on_postgres() {
    let Some(db) = postgres("links_claim").await else {
        return;
    };
    a_number_is_claimed_once(db).await.expect("a store");
}
