//! Turns between processes that write to one file.
//!
//! A process that has just committed would take the write lock again before a sleeping one wakes, and
//! starve it. So each first takes the turn, a lock on a file beside the database, and gives it back
//! when it has the write lock: while one waits for the write lock, no other can overtake it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::open::nap;
use crate::{Error, ErrorKind, Result};

/// The file whose lock is the turn.
#[derive(Debug)]
pub(crate) struct Turn(File);

impl Turn {
    pub(crate) fn beside(database: &Path) -> Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-turn");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        file.map(Self).map_err(|e| {
            let path = path.display();
            Error::new(ErrorKind::Config, format!("cannot open {path}: {e}"))
        })
    }

    /// Takes the turn; gives it back when the answer is dropped.
    pub(crate) fn take(&self, wait_max: Duration) -> Result<Taken<'_>> {
        let end = Instant::now() + wait_max;
        let mut rounds = 0;
        loop {
            match self.0.try_lock() {
                Ok(()) => return Ok(Taken(&self.0)),
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    rounds += 1;
                    nap(rounds);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::new(
                        ErrorKind::Busy,
                        "another process holds the database file for too long; try again later",
                    ));
                }
                Err(TryLockError::Error(e)) => {
                    return Err(Error::new(
                        ErrorKind::Full,
                        format!("cannot lock the file: {e}"),
                    ));
                }
            }
        }
    }
}

/// The turn, until it is dropped.
pub(crate) struct Taken<'a>(&'a File);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // It also ends with the process.
        let _ = self.0.unlock();
    }
}
