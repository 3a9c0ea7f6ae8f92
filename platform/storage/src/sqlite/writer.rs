//! The thread that writes: takes what is queued, commits it together unless it is told otherwise,
//! then answers.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::translate_commit;
use super::job::{Job, Verdict};
use super::open::{self, Place};
use super::session::{Session as _, SqliteSession};
use super::turn::Turn;
use crate::db::Shared;
use crate::faults::hold_up_thread;
use crate::tx::Text;
use crate::{Commits, Error, ErrorKind, Result};

type Queue = mpsc::Receiver<Job>;

/// Starts the writer of a database; tells `opened` when it is ready.
pub(crate) fn start(
    place: Place,
    shared: Arc<Shared>,
    queue: Queue,
    opened: oneshot::Sender<Result<()>>,
) -> Result<()> {
    std::thread::Builder::new()
        .name(format!("{}-write", shared.options.schema))
        .spawn(move || {
            let wait = shared.options.wait_max;
            let made = open::writer(&place, wait).and_then(|conn| match &place {
                Place::Memory => Ok((conn, None)),
                Place::File(path) => Ok((conn, Some(Turn::beside(path)?))),
            });
            match made {
                Ok((conn, turn)) => {
                    let _ = opened.send(Ok(()));
                    Writer {
                        conn: &conn,
                        session: SqliteSession::new(&conn),
                        turn,
                        shared,
                    }
                    .run(queue);
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        })
        .map(drop)
        .map_err(|e| {
            Error::new(
                ErrorKind::Unavailable,
                format!("cannot start a thread: {e}"),
            )
        })
}

struct Writer<'c> {
    conn: &'c Connection,
    session: SqliteSession<'c>,
    turn: Option<Turn>,
    shared: Arc<Shared>,
}

/// Why a group was not committed.
enum Failure {
    /// The group as a whole cannot be: the disk, another process.
    Whole(Error),
    /// One of it cannot be, and it only shows at the end, such as a deferred foreign key.
    SomeOne(Error),
}

impl Writer<'_> {
    fn run(&self, mut queue: Queue) {
        let group_max = self.shared.options.group_max.max(1);
        let mut group = Vec::with_capacity(group_max);
        while queue.blocking_recv_many(&mut group, group_max) > 0 {
            self.work_as_chosen(&mut group);
        }
    }

    /// Commits what was taken together, or one by one while that is the choice.
    fn work_as_chosen(&self, group: &mut Vec<Job>) {
        while !group.is_empty() {
            hold_up_thread(&self.shared.options.faults.slow_commits());
            match self.shared.grouping.get() {
                Commits::Grouped => self.work(group),
                Commits::Single => self.work(&mut group.drain(..1).collect()),
            }
        }
    }

    /// Commits a group and answers; one by one if one of it spoils the commit.
    fn work(&self, group: &mut Vec<Job>) {
        match self.commit(group) {
            Ok(tell) => {
                if tell {
                    self.shared.published();
                }
                answer(group, None);
            }
            Err(Failure::SomeOne(_)) if group.len() > 1 => {
                for job in group.drain(..) {
                    self.work(&mut vec![job]);
                }
            }
            Err(Failure::SomeOne(error) | Failure::Whole(error)) => answer(group, Some(&error)),
        }
    }

    /// Runs and commits a group. Answers whether there are events in it.
    fn commit(&self, group: &mut [Job]) -> Result<bool, Failure> {
        self.begin().map_err(Failure::Whole)?;
        let ran = self.run_jobs(group);
        let committed = ran.and_then(|tell| {
            self.shared
                .options
                .faults
                .before_commit()
                .map_err(Failure::Whole)?;
            let start = Instant::now();
            let done = self.raw_step("COMMIT").map_err(translate_commit);
            self.shared.metrics.group.record(group.len() as u64);
            self.shared.metrics.commits.inc();
            self.shared.metrics.commit_time.observe(start.elapsed());
            done.map_err(|e| match e.kind() {
                ErrorKind::ForeignKeyViolation => Failure::SomeOne(e),
                _ => Failure::Whole(e),
            })?;
            Ok(tell)
        });
        if committed.is_err() && !self.conn.is_autocommit() {
            // If even this fails, the next BEGIN does, and says so.
            let _ = self.step("ROLLBACK");
        }
        committed
    }

    fn run_jobs(&self, group: &mut [Job]) -> Result<bool, Failure> {
        let mut tell = false;
        for job in group {
            self.step("SAVEPOINT job").map_err(Failure::Whole)?;
            let verdict = if job.read_only {
                self.run_read_only(job)
            } else {
                job.run(&self.session)
            };
            if self.conn.is_autocommit() {
                return Err(Failure::Whole(Error::new(
                    ErrorKind::Full,
                    "the disk failed within a transaction, which was rolled back; check its space",
                )));
            }
            if verdict == Verdict::Discard {
                self.step("ROLLBACK TO job").map_err(Failure::Whole)?;
            }
            tell |= verdict == Verdict::KeepAndTell;
            self.step("RELEASE job").map_err(Failure::Whole)?;
        }
        Ok(tell)
    }

    /// A read of a database in memory, which has one connection.
    fn run_read_only(&self, job: &mut Job) -> Verdict {
        hold_up_thread(&self.shared.options.faults.slow_reads());
        let set = |on: bool| self.conn.pragma_update(None, "query_only", on);
        if set(true).is_ok() {
            job.run(&self.session);
        }
        // It is a flag of the connection; setting it cannot fail.
        let _ = set(false);
        Verdict::Keep
    }

    fn begin(&self) -> Result<()> {
        let wait = self.shared.options.wait_max;
        let _turn = self.turn.as_ref().map(|turn| turn.take(wait)).transpose()?;
        open::patiently(wait, || self.raw_step("BEGIN IMMEDIATE"))
    }

    /// A step whose failure means more here than elsewhere.
    fn raw_step(&self, text: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(text)?.raw_execute().map(drop)
    }

    fn step(&self, text: &'static str) -> Result<()> {
        self.session.execute(Text::Static(text), &[]).map(drop)
    }
}

fn answer(group: &mut Vec<Job>, failure: Option<&Error>) {
    for job in group.drain(..) {
        job.finish(failure);
    }
}
