//! Background loops.

use std::time::Duration;

use kernel::Tasks;
use storage::{Db, Tx};

use crate::Config;

/// How often old idempotency keys are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Starts every loop; they end when the tasks do.
pub type Jobs = Box<dyn Fn(&Tasks) + Send + Sync>;

pub(crate) fn jobs(db: Db, config: &Config) -> Jobs {
    let keep = Duration::from_secs(u64::from(config.idempotency_hours) * 3_600);
    Box::new(move |tasks| {
        tasks.spawn(forget(db.clone(), keep, tasks.clone()));
    })
}

/// Forgets idempotency keys that nobody will send again.
async fn forget(db: Db, keep: Duration, tasks: Tasks) {
    loop {
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
        let done: storage::Result<u64> = db
            .write(async move |tx: &mut Tx<'_>| {
                let before = tx.now().minus(keep);
                tx.prune_idempotency(before).await
            })
            .await;
        if let Err(error) = done {
            tracing::warn!(%error, "old idempotency keys could not be forgotten");
        }
    }
}
