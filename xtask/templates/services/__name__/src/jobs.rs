//! Background loops.

use std::time::Duration;

use futures_util::future::BoxFuture;
use kernel::Tasks;
use storage::Db;

use crate::Config;

/// How often old idempotency keys are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// A loop that `app` starts and, at shutdown, asks to end.
pub struct Job {
    /// Its name in logs.
    pub name: &'static str,
    /// Runs until the tasks are asked to end.
    pub run: Box<dyn FnOnce(Tasks) -> BoxFuture<'static, ()> + Send>,
}

pub(crate) fn jobs(db: Db, config: &Config) -> Vec<Job> {
    let keep = Duration::from_secs(u64::from(config.idempotency_hours) * 3_600);
    let name = "__name__.forget_keys";
    vec![Job { name, run: Box::new(move |tasks| Box::pin(forget(db, keep, tasks))) }]
}

/// Forgets idempotency keys that nobody will send again.
async fn forget(db: Db, keep: Duration, tasks: Tasks) {
    while tasks.pause(db.ctx(), FORGET_EVERY).await.is_continue() {
        let done = db.prune_idempotency(db.ctx().now().minus(keep)).await;
        if let Err(error) = done {
            tracing::warn!(%error, "old idempotency keys could not be forgotten");
        }
    }
}
