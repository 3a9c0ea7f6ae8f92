//! A time limit for calls, made to cost little. The timer is made only when the work is not done at
//! once: most calls in process are. And timers are used again: a call ends long before its limit, so
//! its timer is left running for the next call, which looks, when it fires, whether it is its own
//! time that is up. So the runtime's timer wheel is touched once per limit and not once per call.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep};

/// Timers fire up to this much before or after their moment.
pub(crate) const TIMER_SLACK: Duration = Duration::from_millis(2);
/// How many idle timers a thread keeps.
const IDLE_MAX: usize = 64;

thread_local! {
    /// Timers that run for nobody now, each with the runtime that it belongs to.
    static IDLE: RefCell<Vec<(Id, Pin<Box<Sleep>>)>> = const { RefCell::new(Vec::new()) };
}

/// Work with a time limit, which costs next to nothing when it is not reached. Resolves to `None` when
/// the time was up first; that is noticed up to 2 ms early or late.
pub struct Limited<F> {
    work: F,
    limit: Limit,
    timer: Option<Timer>,
}

#[derive(Clone, Copy)]
enum Limit {
    Left(Duration),
    Until(Instant),
}

struct Timer {
    end: Instant,
    runtime: Id,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<F> Limited<F> {
    /// `work`, for as long as `left` from its first poll on.
    #[must_use]
    pub const fn new(left: Duration, work: F) -> Self {
        Self {
            work,
            limit: Limit::Left(left),
            timer: None,
        }
    }

    /// `work`, until `end`.
    #[must_use]
    pub fn until(end: std::time::Instant, work: F) -> Self {
        Self {
            work,
            limit: Limit::Until(end.into()),
            timer: None,
        }
    }
}

impl<F: Future + Unpin> Future for Limited<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, limit, timer } = &mut *self;
        if let Poll::Ready(output) = Pin::new(work).poll(cx) {
            return Poll::Ready(Some(output));
        }
        let timer = timer.get_or_insert_with(|| Timer::start(limit.end()));
        timer.poll(cx).map(|()| None)
    }
}

impl Limit {
    fn end(self) -> Instant {
        match self {
            Self::Left(left) => Instant::now() + left,
            Self::Until(end) => end,
        }
    }
}

impl Timer {
    fn start(end: Instant) -> Self {
        let runtime = Handle::current().id();
        let idle = IDLE.with_borrow_mut(|idle| {
            let at = idle.iter().rposition(|(id, _)| *id == runtime)?;
            Some(idle.swap_remove(at).1)
        });
        let sleep = match idle {
            Some(mut sleep) => {
                if sleep.deadline() > end {
                    sleep.as_mut().reset(end);
                }
                sleep
            }
            None => Box::pin(tokio::time::sleep_until(end)),
        };
        Self {
            end,
            runtime,
            sleep: Some(sleep),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &mut self.sleep else {
            return Poll::Ready(());
        };
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= self.end {
                return Poll::Ready(());
            }
            // It was somebody else's time.
            sleep.as_mut().reset(self.end);
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(sleep) = self.sleep.take() else {
            return;
        };
        // At the end of a thread the list may be gone already: then the timer goes too.
        let _kept = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            if idle.len() == IDLE_MAX {
                // The oldest may be of a runtime that has ended.
                drop(idle.swap_remove(0));
            }
            idle.push((self.runtime, sleep));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    async fn hang(left: Duration) -> (bool, Duration) {
        let started = Instant::now();
        let done = Limited::new(left, std::future::pending::<()>()).await;
        (done.is_none(), started.elapsed())
    }

    #[tokio::test]
    async fn a_timer_that_is_used_again_keeps_the_new_time() {
        let quick = async {
            tokio::task::yield_now().await;
            7
        };
        let mut quick = Box::pin(quick);
        assert_eq!(Limited::new(MS * 20, quick.as_mut()).await, Some(7));
        assert_eq!(IDLE.with_borrow(Vec::len), 1, "left running");
        let (up, took) = hang(MS * 60).await;
        assert!(up && took >= MS * 60, "it fired once for nobody: {took:?}");
        let mut quick = Box::pin(tokio::task::yield_now());
        assert_eq!(
            Limited::new(Duration::from_secs(3_600), quick.as_mut()).await,
            Some(())
        );
        let (up, took) = hang(MS * 5).await;
        assert!(
            up && took >= MS * 5,
            "earlier than the time that it ran for: {took:?}"
        );
    }

    #[test]
    fn a_timer_stays_with_its_runtime() {
        for _ in 0..3 {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let (up, took) = runtime.expect("a runtime").block_on(hang(MS * 5));
            assert!(up && took >= MS * 5);
        }
    }
}
