//! A time limit that makes its timer only when the work is not done at once: most calls in process
//! are, and then the limit costs nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

/// Work with a time limit. Resolves to `None` when the time was up first.
pub(crate) struct Limited<F> {
    work: F,
    left: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F> Limited<F> {
    pub(crate) const fn new(left: Duration, work: F) -> Self {
        Self {
            work,
            left,
            timer: None,
        }
    }
}

impl<F: Future + Unpin> Future for Limited<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, left, timer } = &mut *self;
        if let Poll::Ready(output) = Pin::new(work).poll(cx) {
            return Poll::Ready(Some(output));
        }
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(*left)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(None)
    }
}
