//! Background work that is known and ended: the only place that spawns.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Ctx;

/// Starts tasks and, at shutdown, tells them to end and waits for them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` to its end. It should watch [`Tasks::stopping`] if it loops.
    #[track_caller]
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // Boxed, the runtime's part of a task is compiled once and not for each kind of work.
        let work: Pin<Box<dyn Future<Output = F::Output> + Send>> = Box::pin(work);
        self.tracker.spawn(work)
    }

    /// Resolves when the tasks are asked to end. Cancellation-safe.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Waits for `d` by the clock of `ctx`, between two rounds of a loop; breaks when the tasks are asked to end.
    pub async fn pause(&self, ctx: &Ctx, d: Duration) -> ControlFlow<()> {
        tokio::select! {
            () = self.stopping() => ControlFlow::Break(()),
            () = ctx.sleep(d) => ControlFlow::Continue(()),
        }
    }

    /// Whether the tasks have been asked to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// The token behind [`Tasks::stopping`], for libraries that want one.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Asks every task to end and waits until all have.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
