//! The closure of a transaction, its types forgotten, so that an engine is compiled once and not for
//! each closure; and what it is for.

use std::any::Any;

use futures_util::future::LocalBoxFuture;

use crate::{Error, ErrorKind, Result, Tx};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
    /// A write without a limit of time, where an engine has one.
    WriteLong,
}

/// What a transaction does, and what it came to.
pub(crate) trait Work: Send {
    /// Runs the closure and keeps its answer; answers whether that is `Ok`. May be called again
    /// after a rollback.
    fn run<'a>(&'a mut self, tx: &'a mut Tx<'_>) -> LocalBoxFuture<'a, bool>;

    /// Puts `error` in the place of the answer.
    fn fail(&mut self, error: Error);

    /// Whether the answer is `Ok`.
    fn is_ok(&self) -> bool;

    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// The closure with its types.
pub(crate) struct Typed<F, R, E> {
    closure: F,
    answer: Option<Result<R, E>>,
}

impl<F, R, E> Work for Typed<F, R, E>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    R: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx<'_>) -> LocalBoxFuture<'a, bool> {
        Box::pin(async move {
            let answer = (self.closure)(tx).await;
            self.answer.insert(answer).is_ok()
        })
    }

    fn fail(&mut self, error: Error) {
        self.answer = Some(Err(error.into()));
    }

    fn is_ok(&self) -> bool {
        matches!(self.answer, Some(Ok(_)))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl<F, R, E> Typed<F, R, E>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    R: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// The work of `closure`.
    pub(crate) fn work(closure: F) -> Box<dyn Work> {
        let answer = None;
        Box::new(Self { closure, answer })
    }

    /// The answer of work that was made of such a closure.
    pub(crate) fn answer(done: Box<dyn Work>) -> Result<R, E> {
        let typed = done.into_any().downcast::<Self>().ok();
        typed
            .and_then(|typed| typed.answer)
            .unwrap_or_else(|| Err(panicked().into()))
    }
}

/// Why there is no answer.
pub(crate) fn panicked() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the closure of a transaction panicked; it was rolled back",
    )
}
