//! What a fold holds in memory, and what it writes.

use storage::DbOptions;
use testkit::Postgres;

use super::*;
use crate::MIGRATIONS;
use crate::domain::agent::Platform;
use crate::domain::batch::Writer;
use crate::store::clicks::Group;

/// A group with one click of each of `links`.
fn group(links: impl ExactSizeIterator<Item = i64>) -> Group {
    let count = links.len();
    let mut writer = Writer::new(0, std::iter::empty::<&str>(), count);
    for (visitor, link) in (0_u64..).zip(links) {
        writer.push(&Record {
            link,
            visitor,
            at_ms: 0,
            platform: Platform::Ios,
            bot: false,
            head: false,
            referrer: None,
            language: None,
            hop: 0,
        });
    }
    Group {
        clicks: u32::try_from(count).expect("small"),
        data: writer.finish(),
    }
}

async fn append(db: &Db, groups: Vec<Group>) -> Result<(), storage::Error> {
    db.write(async move |tx: &mut Tx<'_>| clicks::append(tx, &groups).await)
        .await
}

async fn sqlite() -> Result<Db, storage::Error> {
    let db = Db::open("sqlite::memory:", DbOptions::new("links")).await?;
    db.migrate(MIGRATIONS).await?;
    Ok(db)
}

fn folder(db: &Db) -> Folder {
    Folder::new(
        db.clone(),
        ("one".to_owned(), Duration::from_secs(30)),
        &Metrics::new(),
    )
}

#[tokio::test]
async fn memory_for_the_clicks_of_a_fold_is_asked_for_once() -> Result<(), storage::Error> {
    let db = sqlite().await?;
    append(
        &db,
        vec![group((0..50).map(|_| 1)), group((0..21).map(|_| 1))],
    )
    .await?;
    let begun = db.write(async |tx: &mut Tx<'_>| fold::begin(tx, i64::MAX, CLICKS_MAX).await);
    let fold = begun.await?.expect("a fold");
    let summed = folder(&db).sum(&fold).await?;
    // Doubling would have come to 128.
    assert_eq!((summed.clicks, summed.sums.capacity()), (71, 71));
    Ok(())
}

/// The clicks of day 0 of `link`, and how many there are in all.
async fn counted(db: &Db, link: i64) -> Result<(Option<u64>, u64), storage::Error> {
    let read = async move |tx: &mut Tx<'_>| {
        let days = days::range(tx, link, 0, 0).await?;
        let day = days.first().map(|(_, day)| day.clicks());
        Ok::<_, storage::Error>((day, days::total(tx, link).await?))
    };
    db.read(read).await
}

/// Links -1 to -3 have counts from the beginning, link 1 was removed.
async fn days_are_added_to_or_made(db: Db) -> Result<(), storage::Error> {
    let folder = folder(&db);
    append(&db, vec![group([-3, -1, -1].into_iter())]).await?;
    folder.fold(i64::MAX).await?;
    append(&db, vec![group([1, -1, -2, -3, -3, -2].into_iter())]).await?;
    folder.fold(i64::MAX).await?;
    for (link, clicks) in [(-3, 3), (-2, 2), (-1, 3)] {
        assert_eq!(counted(&db, link).await?, (Some(clicks), clicks), "{link}");
    }
    assert_eq!(counted(&db, 1).await?, (None, 0));
    Ok(())
}

#[tokio::test]
async fn days_are_added_to_or_made_on_sqlite() -> Result<(), storage::Error> {
    days_are_added_to_or_made(sqlite().await?).await
}

#[tokio::test]
async fn days_are_added_to_or_made_on_postgres() -> Result<(), storage::Error> {
    let Some(postgres) = Postgres::shared().await else {
        return Ok(());
    };
    let db = Db::open(&postgres.url(), DbOptions::new("links_days")).await?;
    db.migrate(MIGRATIONS).await?;
    days_are_added_to_or_made(db).await
}
