//! A transaction on its way to a database thread and back.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::session::Session;
use crate::db::Shared;
use crate::tx::{Link, Tx};
use crate::{Error, ErrorKind, Result};

/// How long a closure may wait for something that is not its database.
const FOREIGN_WAIT_MAX: Duration = Duration::from_secs(1);

/// What becomes of the work of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To be committed.
    Keep,
    /// To be committed, and there are events in it.
    KeepAndTell,
    /// To be rolled back.
    Discard,
}

/// A transaction whose types are forgotten.
pub(crate) trait Job: Send {
    /// Runs the closure and keeps its answer. May be called again after a rollback.
    fn run(&mut self, session: &dyn Session) -> Verdict;

    /// Gives the caller the answer, or `failure` if the commit did not succeed.
    fn finish(self: Box<Self>, failure: Option<&Error>);

    /// Whether nothing may be written.
    fn read_only(&self) -> bool;
}

/// A transaction with its types.
pub(crate) struct TypedJob<F, R, E> {
    work: F,
    answer: Option<Result<R, E>>,
    reply: oneshot::Sender<Result<R, E>>,
    shared: Arc<Shared>,
    read_only: bool,
}

impl<F, R, E> TypedJob<F, R, E> {
    pub(crate) fn new(
        work: F,
        reply: oneshot::Sender<Result<R, E>>,
        shared: Arc<Shared>,
        read_only: bool,
    ) -> Self {
        Self {
            work,
            answer: None,
            reply,
            shared,
            read_only,
        }
    }
}

impl<F, R, E> Job for TypedJob<F, R, E>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send,
    R: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, session: &dyn Session) -> Verdict {
        let mut tx = Tx::new(Link::Sqlite(session), &self.shared.options.ctx);
        let work = &self.work;
        let done = catch_unwind(AssertUnwindSafe(|| to_its_end(work(&mut tx))));
        let answer = match done {
            Ok(Some(answer)) => {
                answer.and_then(|value| tx.check().map(|()| value).map_err(E::from))
            }
            Ok(None) => Err(E::from(waited())),
            Err(_) => Err(E::from(panicked())),
        };
        let verdict = match (&answer, tx.published) {
            (Ok(_), false) => Verdict::Keep,
            (Ok(_), true) => Verdict::KeepAndTell,
            (Err(_), _) => Verdict::Discard,
        };
        self.answer = Some(answer);
        verdict
    }

    fn finish(self: Box<Self>, failure: Option<&Error>) {
        let answer = match (failure, self.answer) {
            (Some(error), _) => Err(E::from(error.clone())),
            (None, Some(answer)) => answer,
            (None, None) => Err(E::from(panicked())),
        };
        // The caller may have stopped waiting.
        let _ = self.reply.send(answer);
    }

    fn read_only(&self) -> bool {
        self.read_only
    }
}

fn waited() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the closure of a transaction waited for something other than its database; do that before",
    )
}

pub(crate) fn panicked() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the closure of a transaction panicked; it was rolled back",
    )
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls `work` to its end on this thread. Database calls never pend here; what pends is foreign, and
/// gets a bounded time.
fn to_its_end<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return Some(done);
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let end = Instant::now() + FOREIGN_WAIT_MAX;
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(done);
        }
        let left = end.checked_duration_since(Instant::now())?;
        std::thread::park_timeout(left);
    }
}
