//! Where the outbox of the last while begins.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ctx, ManualClock, SystemRandom, Timestamp};
use storage::{Db, DbOptions, OutboxEvent, Position};

use crate::engine::new_schema;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_was_published_since_a_moment_is_found_without_reading_all() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
    let ctx = Ctx {
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
    };
    let options = DbOptions {
        ctx,
        ..DbOptions::new(new_schema())
    };
    let db = Db::open("sqlite::memory:", options).await.unwrap();
    db.migrate(&[]).await.unwrap();
    let since = async |ago: Duration| {
        let from = db.ctx().now().minus(ago);
        db.read(async move |tx| tx.outbox_since(from).await).await
    };
    assert_eq!(since(MINUTE).await.unwrap(), Position(0), "nothing yet");
    // A thousand a minute.
    for _ in 0..10 {
        db.write(async |tx| {
            for _ in 0..1_000 {
                tx.publish(&OutboxEvent::default()).await?;
            }
            Ok::<_, storage::Error>(())
        })
        .await
        .unwrap();
        clock.advance(MINUTE);
    }
    let Position(recent) = since(MINUTE * 2).await.unwrap();
    assert!(
        (5_000..=8_000).contains(&recent),
        "before the last two thousand, and not at the beginning: {recent}"
    );
    assert_eq!(since(MINUTE * 60).await.unwrap(), Position(0));
}
