//! Who kills: starts the worker, listens, kills it at a moment that a seed draws, and starts it again.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use kernel::{Random, SeededRandom};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::compare::{Seen, Tally, compare};
use crate::worker::{DONE, MAIL, STORED, TOLD};
use crate::{Mode, TwinError, order_of};

/// A kill comes after so many orders at most, drawn evenly..
const ORDERS_MAX: u64 = 4;
/// ..and after so long besides: more than an order takes, so that any moment of it may be hit.
const AFTER_US_MAX: u64 = 16_000;
/// The signal that no process can refuse.
const SIGKILL: i32 = 9;
/// How long a worker may say nothing.
const SILENT_S: u64 = 60;

/// What to do to which system.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The design.
    pub mode: Mode,
    /// How often it is killed.
    pub kills: u32,
    /// Draws the moments. What a process has done by then is its own affair, so that two runs of a
    /// seed are alike and not the same.
    pub seed: u64,
    /// The program that runs as `PROGRAM twin --mode MODE --data DIR [--settle]`.
    pub program: PathBuf,
    /// Where the databases are made; a directory that is new or empty.
    pub data: PathBuf,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The design.
    pub mode: Mode,
    /// How often it was killed.
    pub kills: u32,
    /// Orders that a client was told of.
    pub told: u64,
    /// Orders that are stored.
    pub stored: u64,
    /// Mails that were sent.
    pub mails: u64,
    /// What went wrong.
    pub tally: Tally,
}

/// Carries out `plan`; tells `progress` after each kill how many there were.
pub async fn run(plan: &Plan, mut progress: impl FnMut(u32)) -> Result<Outcome, TwinError> {
    prepare(plan)?;
    let random = SeededRandom::new(plan.seed);
    let mut seen = Seen::default();
    for round in 0..plan.kills {
        let orders = random.below(ORDERS_MAX + 1);
        let after = Duration::from_micros(random.below(AFTER_US_MAX));
        let worker = Worker::start(plan, &[])?;
        worker.kill_after(orders, after, &mut seen).await?;
        progress(round + 1);
    }
    Worker::start(plan, &["--settle"])?
        .settle(&mut seen)
        .await?;
    let count = |list: &[kernel::Id]| u64::try_from(list.len()).unwrap_or(u64::MAX);
    Ok(Outcome {
        mode: plan.mode,
        kills: plan.kills,
        told: count(&seen.told),
        stored: count(&seen.stored),
        mails: count(&seen.mails),
        tally: compare(&seen),
    })
}

/// Makes the directory, which must not hold the orders of an earlier run.
fn prepare(plan: &Plan) -> Result<(), TwinError> {
    let io = |error| TwinError::Io("make a directory for the twin", error);
    std::fs::create_dir_all(&plan.data).map_err(io)?;
    match std::fs::read_dir(&plan.data).map_err(io)?.next() {
        Some(_) => Err(TwinError::Used(plan.data.clone())),
        None => Ok(()),
    }
}

/// A worker that runs; it is killed with this.
struct Worker {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(plan: &Plan, more: &[&str]) -> Result<Self, TwinError> {
        let mut child = Command::new(&plan.program)
            .args(["twin", "--mode", plan.mode.name(), "--data"])
            .arg(&plan.data)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| TwinError::Io("start the worker", error))?;
        let stdout = child.stdout.take().expect("it was asked for");
        let lines = BufReader::new(stdout).lines();
        Ok(Self { child, lines })
    }

    /// Kills it `after` it has taken so many `orders`, and takes down all that it has told.
    async fn kill_after(
        mut self,
        orders: u64,
        after: Duration,
        seen: &mut Seen,
    ) -> Result<(), TwinError> {
        for _ in 0..orders {
            match self.next().await? {
                Some(line) => told(&line, seen)?,
                None => return Err(self.ended().await),
            }
        }
        sleep(after).await;
        let io = |error| TwinError::Io("kill the worker", error);
        self.child.start_kill().map_err(io)?;
        // What it said before stands in the pipe.
        while let Some(line) = self.next().await? {
            told(&line, seen)?;
        }
        let status = self.child.wait().await.map_err(io)?;
        if status.signal() == Some(SIGKILL) {
            Ok(())
        } else {
            Err(TwinError::Ended(status))
        }
    }

    /// Lets it settle, and takes down what there is.
    async fn settle(mut self, seen: &mut Seen) -> Result<(), TwinError> {
        loop {
            let Some(line) = self.next().await? else {
                return Err(self.ended().await);
            };
            if line == DONE {
                return Ok(());
            }
            match (order_of(STORED, &line), order_of(MAIL, &line)) {
                (Some(id), _) => seen.stored.push(id),
                (_, Some(id)) => seen.mails.push(id),
                _ => return Err(TwinError::Said(line)),
            }
        }
    }

    /// The next line; none when it has ended.
    async fn next(&mut self) -> Result<Option<String>, TwinError> {
        let within = Duration::from_secs(SILENT_S);
        let line = timeout(within, self.lines.next_line()).await;
        line.map_err(|_| TwinError::Silent(SILENT_S))?
            .map_err(|error| TwinError::Io("hear the worker", error))
    }

    async fn ended(mut self) -> TwinError {
        match self.child.wait().await {
            Ok(status) => TwinError::Ended(status),
            Err(error) => TwinError::Io("wait for the worker", error),
        }
    }
}

fn told(line: &str, seen: &mut Seen) -> Result<(), TwinError> {
    let id = order_of(TOLD, line).ok_or_else(|| TwinError::Said(line.to_owned()))?;
    seen.told.push(id);
    Ok(())
}
