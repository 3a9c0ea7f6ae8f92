//! What a fold holds in memory.

use storage::DbOptions;

use super::*;
use crate::MIGRATIONS;
use crate::domain::agent::Platform;
use crate::domain::batch::Writer;
use crate::store::clicks::Group;

/// A group with so many clicks of link 1.
fn group(clicks: u32) -> Group {
    let mut writer = Writer::new(0, std::iter::empty::<&str>(), clicks as usize);
    for visitor in 0..u64::from(clicks) {
        writer.push(&Record {
            link: 1,
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
    let data = writer.finish();
    Group { clicks, data }
}

#[tokio::test]
async fn memory_for_the_clicks_of_a_fold_is_asked_for_once() -> Result<(), storage::Error> {
    let db = Db::open("sqlite::memory:", DbOptions::new("links")).await?;
    db.migrate(MIGRATIONS).await?;
    let folder = Folder::new(db.clone(), "one".to_owned(), &Metrics::new());
    db.write(async |tx: &mut Tx<'_>| clicks::append(tx, &[group(50), group(21)]).await)
        .await?;
    let begun = db.write(async |tx: &mut Tx<'_>| fold::begin(tx, i64::MAX, CLICKS_MAX).await);
    let fold = begun.await?.expect("a fold");
    let summed = folder.sum(&fold).await?;
    // Doubling would have come to 128.
    assert_eq!((summed.clicks, summed.sums.capacity()), (71, 71));
    Ok(())
}
