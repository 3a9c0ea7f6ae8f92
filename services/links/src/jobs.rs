//! Background loops: clicks are committed, folded, and what has had its time is destroyed.

mod pace;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use kernel::Tasks;
use storage::Tx;

use self::pace::Pace;
use crate::domain::day::{DAY_MS, day_of};
use crate::service::folder::Folder;
use crate::service::passes::GUESS_WINDOW;
use crate::service::{ClickPolicy, Service};
use crate::store::{Fail, clicks, limits, repeats, secrets};

/// How often a lossy recorder commits.
const LOSSY_EVERY: Duration = Duration::from_secs(1);
/// How often the fold looks for work.
const FOLD_LOOK: Duration = Duration::from_millis(250);
/// How often old salts, guesses and keys are destroyed.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How long the clicks of yesterday may still wait for their salt after midnight.
const SALT_GRACE_MS: i64 = 10 * 60 * 1_000;
/// How long it is remembered which requests were granted clicks: far longer than one is under way.
const USES_KEPT: Duration = Duration::from_secs(3_600);
/// How often the last commit is tried again at the end.
const LAST_TRIES: u32 = 50;

/// A loop that `app` starts and, at shutdown, asks to end.
pub struct Job {
    /// Its name in logs.
    pub name: &'static str,
    /// Runs until the tasks are asked to end.
    pub run: Box<dyn FnOnce(Tasks) -> BoxFuture<'static, ()> + Send>,
}

fn job<F>(name: &'static str, run: impl FnOnce(Tasks) -> F + Send + 'static) -> Job
where
    F: Future<Output = ()> + Send + 'static,
{
    Job {
        name,
        run: Box::new(move |tasks| Box::pin(run(tasks))),
    }
}

pub(crate) fn jobs(service: &Arc<Service>) -> Vec<Job> {
    let [commit, settle, fold, clean] = std::array::from_fn(|_| Arc::clone(service));
    vec![
        job("links.commit_clicks", move |tasks| {
            commit_clicks(commit, tasks)
        }),
        job("links.settle_repeats", move |tasks| {
            settle_repeats(settle, tasks)
        }),
        job("links.fold_clicks", move |tasks| fold_clicks(fold, tasks)),
        job("links.sweep", move |tasks| sweep(clean, tasks)),
    ]
}

/// Commits groups of clicks; at the end whatever is left.
async fn commit_clicks(service: Arc<Service>, tasks: Tasks) {
    let recorder = &service.recorder;
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = tasks.stopping() => break,
            () = recorder.some(), if pause.is_zero() => {}
            () = tokio::time::sleep(pause), if !pause.is_zero() => {}
        }
        let group = match service.choices.clicks.get() {
            ClickPolicy::Lossy => LOSSY_EVERY,
            _ => Duration::from_millis(service.config.click_group_ms),
        };
        tokio::select! {
            () = tasks.stopping() => break,
            () = tokio::time::sleep(group) => {}
        }
        pause = pause_after(recorder.flush().await, pause);
    }
    last(|| recorder.flush()).await;
}

/// Settles visits that another replica was asked before; at the end whatever is left.
async fn settle_repeats(service: Arc<Service>, tasks: Tasks) {
    let repeats = &service.recorder.repeats;
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = tasks.stopping() => break,
            () = repeats.some(), if pause.is_zero() => {}
            () = tokio::time::sleep(pause), if !pause.is_zero() => {}
        }
        pause = pause_after(repeats.settle().await, pause);
    }
    last(|| repeats.settle()).await;
}

/// How long to wait before clicks are committed again.
fn pause_after(done: Result<(), storage::Error>, pause: Duration) -> Duration {
    match done {
        Ok(()) => Duration::ZERO,
        Err(error) => {
            tracing::warn!(%error, "clicks could not be committed; they wait in memory");
            (pause * 2).clamp(Duration::from_millis(50), Duration::from_secs(1))
        }
    }
}

/// Commits for the last time, as often as it takes within limits.
async fn last<F>(commit: impl Fn() -> F)
where
    F: Future<Output = Result<(), storage::Error>>,
{
    for _ in 0..LAST_TRIES {
        match commit().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "the last clicks could not be committed yet"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tracing::error!("the last clicks are lost: the store did not take them");
}

/// Folds clicks when there are some, as [`Pace`] says.
async fn fold_clicks(service: Arc<Service>, tasks: Tasks) {
    let ctx = &service.ctx;
    let lease = Duration::from_secs(service.config.fold_lease_seconds);
    let holder = (ctx.new_id().to_string(), lease);
    let folder = Folder::new(service.db.clone(), holder, &service.metrics);
    let mut pace = Pace::new(ctx.steady());
    while tasks.pause(ctx, FOLD_LOOK).await.is_continue() {
        let waiting = match folder.waiting(pace.seen()).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::debug!(%error, "cannot see whether clicks wait to be folded");
                continue;
            }
        };
        let began = ctx.steady();
        let Some(last) = pace.due(&waiting, began) else {
            continue;
        };
        if let Err(error) = folder.fold(last).await {
            tracing::warn!(%error, "clicks could not be folded; they are tried again");
        }
        pace.folded(began, ctx.steady());
    }
}

/// Destroys what has had its time.
async fn sweep(service: Arc<Service>, tasks: Tasks) {
    loop {
        let keep = Duration::from_secs(u64::from(service.config.idempotency_hours) * 3_600);
        let clean = async move |tx: &mut Tx<'_>| {
            let now = tx.now();
            let mut day = day_of(now.millis());
            if now.millis().rem_euclid(DAY_MS) < SALT_GRACE_MS {
                day -= 1;
            }
            secrets::forget_salts(tx, day).await?;
            limits::forget_guesses(tx, GUESS_WINDOW).await?;
            limits::forget_uses(tx, now.minus(USES_KEPT)).await?;
            repeats::forget(tx, now).await?;
            clicks::forget_writers(tx, now.minus(Duration::from_secs(7 * 86_400))).await?;
            Ok::<_, Fail>(())
        };
        let cleaned = async {
            service.db.write(clean).await?;
            let before = service.db.ctx().now().minus(keep);
            service.db.prune_idempotency(before).await?;
            Ok(())
        };
        if let Err(Fail::Store(error)) = cleaned.await {
            tracing::warn!(%error, "what has had its time could not be destroyed; tried again later");
        }
        if tasks.pause(&service.ctx, SWEEP_EVERY).await.is_break() {
            return;
        }
    }
}
