//! Capacity and line. Nothing depends on how quick the machine is: what takes time is computed, and
//! jobs wait in line before anybody works.

use kernel::{Clock as _, Knobs, ManualClock, SystemRandom, Timestamp};
use testkit::eventually;
use tokio::task::JoinHandle;

use super::*;

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(60);

/// A desk whose workers have not come yet.
struct World {
    desk: Desk,
    workers: Vec<Worker>,
    tasks: Tasks,
    clock: Arc<ManualClock>,
    knobs: Knobs,
}

impl World {
    /// One worker, three in line.
    fn new(work_ms: u64) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
        let ctx = Ctx {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
        };
        let (knobs, knob) = Knobs::none().declare("admission", "");
        let capacity = Capacity {
            workers: 1,
            work_ms,
            queue: 3,
        };
        let (desk, workers) = desk("stage_back", &capacity, Some(knob), (&ctx, &Metrics::new()));
        Self {
            desk,
            workers,
            tasks: Tasks::new(),
            clock,
            knobs,
        }
    }

    /// The workers begin.
    fn begin(&mut self) {
        for worker in self.workers.drain(..) {
            self.tasks.spawn(worker.run(self.tasks.clone()));
        }
    }

    /// Puts a job in line that is wanted for `within` from now.
    async fn send(&self, within: Duration) -> JoinHandle<Result<Done, StageError>> {
        let (desk, before) = (self.desk.clone(), self.desk.line.capacity());
        let deadline = Deadline::after(&*self.clock, within);
        let sent = self.tasks.spawn(async move { desk.work(deadline).await });
        while self.desk.line.capacity() == before && !sent.is_finished() {
            tokio::task::yield_now().await;
        }
        sent
    }

    /// Waits until so many jobs were answered, wasted, late and refused.
    async fn until(&self, counts: [u64; 4]) {
        let Meters {
            answered,
            wasted,
            late,
            refused,
            ..
        } = &self.desk.meters;
        let now = || [answered, wasted, late, refused].map(Counter::get);
        eventually("the jobs are done", LONG, async || now() == counts).await;
    }
}

fn service() -> String {
    "stage_back".to_owned()
}

#[test]
fn two_workers_do_as_much_as_two_workers_can_and_no_more() {
    let start = Instant::now();
    let mut free_at = [start; 2];
    let mut ends = start;
    for job in 0..100 {
        // Whoever is free first takes the next one.
        let first = usize::from(free_at[1] < free_at[0]);
        let turn = Turn::of(free_at[first], start + MS * job, MS * 10);
        free_at[first] = turn.ends;
        ends = ends.max(turn.ends);
    }
    let took = ends - start;
    assert!(
        (MS * 500..=MS * 510).contains(&took),
        "{took:?} for 100 jobs"
    );
}

#[test]
fn a_job_begins_when_it_came_or_when_a_worker_was_free_whichever_is_later() {
    let start = Instant::now();
    let idle = Turn::of(start, start + MS * 7, MS * 10);
    assert_eq!(idle.done(start + MS * 7), done(0, 10_000));
    assert_eq!(idle.ends, start + MS * 17);
    let busy = Turn::of(start + MS * 17, start + MS * 8, MS * 10);
    assert_eq!(busy.done(start + MS * 8), done(9_000, 10_000));
    assert_eq!(
        busy.ends,
        start + MS * 27,
        "however late it was seen that he is free"
    );
}

fn done(waited_us: u64, worked_us: u64) -> Done {
    Done {
        waited_us,
        worked_us,
    }
}

#[tokio::test]
async fn the_line_has_an_end() {
    let world = World::new(1);
    for _ in 0..3 {
        world.send(LONG).await;
    }
    assert_eq!(world.desk.meters.in_line.get(), 3);
    let refused = world.send(LONG).await.await.expect("it has ended");
    assert_eq!(refused, Err(StageError::Full { service: service() }));
    assert_eq!(
        world.desk.meters.in_line.get(),
        3,
        "who was refused waits nowhere"
    );
    world.until([0, 0, 0, 1]).await;
}

#[tokio::test]
async fn a_job_that_nobody_waits_for_is_done_all_the_same() {
    let mut world = World::new(1);
    for _ in 0..2 {
        world.send(LONG).await.abort();
    }
    let wanted = world.send(LONG).await;
    world.begin();
    world.until([1, 2, 0, 0]).await;
    let worked_us = wanted
        .await
        .expect("it has ended")
        .map(|done| done.worked_us);
    assert_eq!(worked_us, Ok(1_000));
}

#[tokio::test]
async fn by_deadline_a_job_that_is_late_when_its_turn_comes_is_not_begun() {
    for (setting, counts) in [("fifo", [2, 0, 0, 0]), ("deadline", [1, 0, 1, 0])] {
        let mut world = World::new(1);
        world.knobs.set("admission", setting).expect("a setting");
        let hasty = world.send(MS * 10).await;
        world.send(LONG).await;
        world.clock.set(world.clock.now().plus(MS * 11));
        world.begin();
        world.until(counts).await;
        let hasty = hasty.await.expect("it has ended");
        let late = hasty == Err(StageError::Late { service: service() });
        assert_eq!(late, setting == "deadline", "{hasty:?}");
    }
}

#[tokio::test]
async fn at_the_end_whoever_waits_is_told() {
    let mut world = World::new(60_000);
    let sent = [world.send(LONG).await, world.send(LONG).await];
    world.begin();
    // Its work goes on for a minute; the other one waits in line.
    eventually("one is worked on", LONG, async || {
        world.desk.meters.in_line.get() == 1
    })
    .await;
    let World { desk, tasks, .. } = world;
    drop(desk);
    tasks.shutdown().await;
    for told in sent {
        let told = told.await.expect("it has ended");
        assert_eq!(told, Err(StageError::Ending { service: service() }));
    }
}
