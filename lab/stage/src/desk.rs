//! Finite capacity: so many workers that each take so long for a job, and a line with an end.
//!
//! A job that was taken is done, also when nobody waits for its answer any more, as most servers do
//! it: that is what lets an overload outlive its cause. The worker sleeps, so capacity costs no CPU.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Choice, ChoiceKnob, Ctx, Deadline, Tasks};
use telemetry::InFlight;
use telemetry::{Counter, Gauge, Metrics};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::config::Capacity;
use crate::contract::{Done, StageError};

/// Which jobs a worker begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Every job, in the order in which they came.
    Fifo,
    /// Not those whose deadline has passed.
    Deadline,
}

impl Choice for Admission {
    const ALL: &'static [(&'static str, Self)] =
        &[("fifo", Self::Fifo), ("deadline", Self::Deadline)];
}

/// Takes jobs and has them done. Cheap to clone; clones share their state.
#[derive(Clone)]
pub(crate) struct Desk {
    service: &'static str,
    line: mpsc::Sender<Job>,
    meters: Meters,
}

struct Job {
    arrived: Instant,
    deadline: Deadline,
    answer: oneshot::Sender<Result<Done, StageError>>,
    _in_line: InFlight,
}

/// One of those who do the jobs.
pub(crate) struct Worker {
    service: &'static str,
    line: Arc<Mutex<mpsc::Receiver<Job>>>,
    work: Duration,
    admission: Option<ChoiceKnob<Admission>>,
    ctx: Ctx,
    meters: Meters,
}

#[derive(Clone)]
struct Meters {
    answered: Counter,
    wasted: Counter,
    late: Counter,
    refused: Counter,
    in_line: Gauge,
}

impl Meters {
    fn new(metrics: &Metrics, service: &'static str) -> Self {
        let jobs = |outcome| {
            let labels = [("service", service), ("outcome", outcome)];
            let help = "Jobs by what became of them; wasted ones were done for nobody";
            metrics.counter("stage_jobs_total", help, &labels)
        };
        let in_line = metrics.gauge(
            "stage_line_jobs",
            "Jobs that wait for a worker",
            &[("service", service)],
        );
        Self {
            answered: jobs("answered"),
            wasted: jobs("wasted"),
            late: jobs("late"),
            refused: jobs("refused"),
            in_line,
        }
    }
}

/// A desk of `capacity`, with its workers; without a knob every job is begun.
pub(crate) fn desk(
    service: &'static str,
    capacity: &Capacity,
    admission: Option<ChoiceKnob<Admission>>,
    (ctx, metrics): (&Ctx, &Metrics),
) -> (Desk, Vec<Worker>) {
    let capacity = capacity.bounded();
    let (sender, line) = mpsc::channel(capacity.queue);
    let line = Arc::new(Mutex::new(line));
    let meters = Meters::new(metrics, service);
    let worker = || Worker {
        service,
        line: Arc::clone(&line),
        work: Duration::from_millis(capacity.work_ms),
        admission: admission.clone(),
        ctx: ctx.clone(),
        meters: meters.clone(),
    };
    let workers = (0..capacity.workers).map(|_| worker()).collect();
    let desk = Desk {
        service,
        line: sender,
        meters,
    };
    (desk, workers)
}

impl Desk {
    /// Has one job done. Whoever drops this has given up, and the job is done all the same.
    pub(crate) async fn work(&self, deadline: Deadline) -> Result<Done, StageError> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            arrived: Instant::now(),
            deadline,
            answer,
            _in_line: self.meters.in_line.enter(),
        };
        let service = || self.service.to_owned();
        self.line.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                self.meters.refused.inc();
                StageError::Full { service: service() }
            }
            mpsc::error::TrySendError::Closed(_) => StageError::Ending { service: service() },
        })?;
        let ended = |_| StageError::Ending { service: service() };
        answered.await.map_err(ended)?
    }
}

impl Worker {
    /// Does one job after the other until the tasks are asked to end.
    pub(crate) async fn run(self, tasks: Tasks) {
        let mut free_at = Instant::now();
        loop {
            let one = async {
                let job = self.line.lock().await.recv().await?;
                Some(self.attend(job, free_at).await)
            };
            let freed = tokio::select! {
                () = tasks.stopping() => return,
                freed = one => freed,
            };
            match freed {
                Some(at) => free_at = at,
                None => return,
            }
        }
    }

    /// Does a job from when the worker was free, and answers when it is free again.
    async fn attend(&self, job: Job, free_at: Instant) -> Instant {
        let Job {
            arrived,
            deadline,
            answer,
            _in_line: in_line,
        } = job;
        drop(in_line);
        let admission = self
            .admission
            .as_ref()
            .map_or(Admission::Fifo, ChoiceKnob::get);
        if admission == Admission::Deadline && deadline.has_passed(&*self.ctx.clock) {
            self.meters.late.inc();
            let service = self.service.to_owned();
            // Nobody waits any more, as a rule.
            let _ = answer.send(Err(StageError::Late { service }));
            return free_at;
        }
        let turn = Turn::of(free_at, arrived, self.work);
        sleep_until(turn.ends).await;
        let outcome = match answer.send(Ok(turn.done(arrived))) {
            Ok(()) => &self.meters.answered,
            Err(_) => &self.meters.wasted,
        };
        outcome.inc();
        turn.ends
    }
}

/// When a job is worked on. Counted from moment to moment and not from when a timer fired, or
/// capacity would be lower than it says.
struct Turn {
    begins: Instant,
    ends: Instant,
}

impl Turn {
    /// The turn of a job that came when it `arrived`, by a worker who was `free_at` that moment.
    fn of(free_at: Instant, arrived: Instant, work: Duration) -> Self {
        let begins = free_at.max(arrived);
        Self {
            begins,
            ends: begins + work,
        }
    }

    fn done(&self, arrived: Instant) -> Done {
        Done {
            waited_us: micros(self.begins - arrived),
            worked_us: micros(self.ends - self.begins),
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
