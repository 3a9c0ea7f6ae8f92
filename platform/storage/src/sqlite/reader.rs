//! The threads that read: each transaction sees one snapshot, and none waits for the writer.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::error::translate;
use super::job::Job;
use super::open;
use super::session::SqliteSession;
use crate::db::Shared;
use crate::faults::hold_up_thread;
use crate::{Error, ErrorKind, Faults, Result};

/// How many reads may wait.
const QUEUE_MAX: usize = 1_024;

/// Opens the readers of a file.
pub(crate) fn start(path: &Path, shared: &Arc<Shared>) -> Result<mpsc::Sender<Job>> {
    let (sender, queue) = mpsc::channel(QUEUE_MAX);
    let queue = Arc::new(Mutex::new(queue));
    for number in 0..shared.options.readers.max(1) {
        let conn = open::reader(path, shared.options.wait_max)?;
        let (queue, faults) = (Arc::clone(&queue), shared.options.faults.clone());
        std::thread::Builder::new()
            .name(format!("{}-read-{number}", shared.options.schema))
            .spawn(move || run(&conn, &queue, &faults))
            .map_err(|e| {
                Error::new(
                    ErrorKind::Unavailable,
                    format!("cannot start a thread: {e}"),
                )
            })?;
    }
    Ok(sender)
}

fn run(conn: &Connection, queue: &Mutex<mpsc::Receiver<Job>>, faults: &Faults) {
    let session = SqliteSession::new(conn);
    loop {
        // One thread waits in the queue, the others for the lock: each job wakes one.
        let job = queue.lock().blocking_recv();
        let Some(job) = job else { return };
        hold_up_thread(&faults.slow_reads());
        read(conn, &session, job);
    }
}

fn read(conn: &Connection, session: &SqliteSession<'_>, mut job: Job) {
    let step = |text: &str| -> Result<()> {
        conn.prepare_cached(text)
            .and_then(|mut s| s.raw_execute())
            .map(drop)
            .map_err(translate)
    };
    if let Err(error) = step("BEGIN") {
        return job.finish(Some(&error));
    }
    job.run(session);
    // Nothing was written: ending the snapshot cannot fail in a way that matters.
    let _ = step("ROLLBACK");
    job.finish(None);
}
