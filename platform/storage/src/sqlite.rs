//! SQLite: one writer thread a file with group commit, and a few readers.
//!
//! A pool of connections that write one by one collapses under load, because the file has one writer
//! whatever one does. So one thread writes: it takes every transaction that is queued, runs each in a
//! savepoint, commits them together with one sync to disk, and only then answers. A service may choose
//! to commit one by one all the same ([`crate::Commits`]).

mod error;
mod job;
mod open;
mod reader;
pub(crate) mod session;
mod turn;
mod writer;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::db::Shared;
use crate::{Error, ErrorKind, Result, Tx};
pub(crate) use job::panicked;
use job::{Job, TypedJob};

/// The threads of one file.
pub(crate) struct Sqlite {
    writer: mpsc::Sender<Box<dyn Job>>,
    readers: Option<mpsc::Sender<Box<dyn Job>>>,
    shared: Arc<Shared>,
}

impl Sqlite {
    /// `place` is what follows `sqlite:` in the URL.
    pub(crate) async fn open(place: &str, shared: Arc<Shared>) -> Result<Self> {
        let place = open::Place::parse(place)?;
        let (writer, queue) = mpsc::channel(shared.options.queue_max);
        let (opened, answer) = oneshot::channel();
        writer::start(place.clone(), Arc::clone(&shared), queue, opened)?;
        answer.await.map_err(|_| gone())??;
        let readers = match &place {
            open::Place::Memory => None,
            open::Place::File(path) => Some(reader::start(path, &shared)?),
        };
        Ok(Self {
            writer,
            readers,
            shared,
        })
    }

    pub(crate) async fn write<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.send(&self.writer, work, false).await
    }

    pub(crate) async fn read<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.send(self.readers.as_ref().unwrap_or(&self.writer), work, true)
            .await
    }

    async fn send<R, E, F>(
        &self,
        queue: &mpsc::Sender<Box<dyn Job>>,
        work: F,
        read_only: bool,
    ) -> Result<R, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(TypedJob::new(
            work,
            reply,
            Arc::clone(&self.shared),
            read_only,
        ));
        if let Err(full) = queue.try_send(job) {
            match full {
                mpsc::error::TrySendError::Full(job) => {
                    let wait = self.shared.options.wait_max;
                    queue.send_timeout(job, wait).await.map_err(|_| busy())?;
                }
                mpsc::error::TrySendError::Closed(_) => return Err(gone().into()),
            }
        }
        answer.await.map_err(|_| gone())?
    }
}

fn busy() -> Error {
    Error::new(
        ErrorKind::Busy,
        "too many transactions wait for the database; try again later",
    )
}

fn gone() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the database's thread has ended; restart the process",
    )
}
