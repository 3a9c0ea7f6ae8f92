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
use crate::work::{Work, panicked};
use crate::{Error, ErrorKind};

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

/// A transaction that waits for its turn, and who waits for it.
pub(crate) struct Job {
    work: Box<dyn Work>,
    reply: oneshot::Sender<Box<dyn Work>>,
    shared: Arc<Shared>,
    /// Whether nothing may be written.
    pub(crate) read_only: bool,
}

impl Job {
    /// A job, and where its work comes back with an answer.
    pub(crate) fn new(
        work: Box<dyn Work>,
        shared: Arc<Shared>,
        read_only: bool,
    ) -> (Self, oneshot::Receiver<Box<dyn Work>>) {
        let (reply, answer) = oneshot::channel();
        let job = Self {
            work,
            reply,
            shared,
            read_only,
        };
        (job, answer)
    }

    /// Runs the closure, which keeps its answer. May be called again after a rollback.
    pub(crate) fn run(&mut self, session: &dyn Session) -> Verdict {
        let mut tx = Tx::new(Link::Sqlite(session), &self.shared.options.ctx);
        let work = &mut self.work;
        let done = catch_unwind(AssertUnwindSafe(|| to_its_end(work.run(&mut tx))));
        let failure = match done {
            Ok(Some(true)) => tx.check().err(),
            Ok(Some(false)) => return Verdict::Discard,
            Ok(None) => Some(waited()),
            Err(_) => Some(panicked()),
        };
        match failure {
            Some(error) => {
                self.work.fail(error);
                Verdict::Discard
            }
            None if tx.published => Verdict::KeepAndTell,
            None => Verdict::Keep,
        }
    }

    /// Gives the caller the answer, or `failure` if the commit did not succeed.
    pub(crate) fn finish(mut self, failure: Option<&Error>) {
        if let Some(error) = failure {
            self.work.fail(error.clone());
        }
        // The caller may have stopped waiting.
        let _ = self.reply.send(self.work);
    }
}

fn waited() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the closure of a transaction waited for something other than its database; do that before",
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
