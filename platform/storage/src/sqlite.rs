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

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;

use crate::db::Shared;
use crate::work::{Mode, Work};
use crate::{Error, ErrorKind, Result};
use job::Job;

/// The threads of one file.
pub(crate) struct Sqlite {
    writer: mpsc::Sender<Job>,
    readers: Option<mpsc::Sender<Job>>,
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

    /// Runs `work` in a transaction; answers it with its answer.
    pub(crate) async fn run(&self, mode: Mode, work: Box<dyn Work>) -> Result<Box<dyn Work>> {
        let read_only = mode == Mode::Read;
        let queue = match &self.readers {
            Some(readers) if read_only => readers,
            _ => &self.writer,
        };
        let (job, answer) = Job::new(work, Arc::clone(&self.shared), read_only);
        match queue.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => {
                let wait = self.shared.options.wait_max;
                queue.send_timeout(job, wait).await.map_err(|_| busy())?;
            }
            Err(TrySendError::Closed(_)) => return Err(gone()),
        }
        answer.await.map_err(|_| gone())
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
