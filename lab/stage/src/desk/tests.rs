//! Capacity and line, on tokio's paused clock: a second costs nothing and is exact.

use kernel::{Clock as _, ManualClock, SystemRandom, Timestamp};
use tokio::time::{advance, sleep};

use super::*;

const SERVICE: &str = "stage_back";

/// A desk with its workers at work.
struct World {
    desk: Desk,
    tasks: Tasks,
    clock: Arc<ManualClock>,
    knobs: kernel::Knobs,
}

impl World {
    /// Two workers, 10 ms a job, three in line.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
        let ctx = Ctx {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
        };
        let (knobs, knob) = kernel::Knobs::none().declare("admission", "");
        let capacity = Capacity {
            workers: 2,
            work_ms: 10,
            queue: 3,
        };
        let (desk, workers) = desk(SERVICE, &capacity, Some(knob), (&ctx, &Metrics::new()));
        let tasks = Tasks::new();
        for worker in workers {
            tasks.spawn(worker.run(tasks.clone()));
        }
        Self {
            desk,
            tasks,
            clock,
            knobs,
        }
    }

    fn in_ms(&self, ms: u64) -> Deadline {
        Deadline::after(&*self.clock, Duration::from_millis(ms))
    }

    /// Sends a job and lets a worker take it, if one is free.
    async fn send(&self) -> tokio::task::JoinHandle<Result<Done, StageError>> {
        let (desk, deadline) = (self.desk.clone(), self.in_ms(25));
        let sent = self.tasks.spawn(async move { desk.work(deadline).await });
        settle().await;
        sent
    }

    /// Moves both clocks.
    async fn pass(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
        advance(Duration::from_millis(ms)).await;
        settle().await;
    }

    fn counts(&self) -> [u64; 4] {
        let Meters {
            answered,
            wasted,
            late,
            refused,
            ..
        } = &self.desk.meters;
        [answered, wasted, late, refused].map(Counter::get)
    }
}

async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_desk_does_as_much_as_its_workers_and_no_more() {
    let world = World::new();
    let started = Instant::now();
    for _ in 0..100 {
        // A full line is waited for.
        while world.desk.line.capacity() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        world.send().await;
    }
    while world.counts()[0] < 100 {
        sleep(Duration::from_millis(1)).await;
    }
    let took = started.elapsed().as_millis();
    assert!(
        (500..=502).contains(&took),
        "100 jobs of 10 ms by two: {took} ms"
    );
    assert_eq!(world.counts(), [100, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_fires_late_costs_no_capacity() {
    let world = World::new();
    for _ in 0..5 {
        world.send().await;
    }
    world.pass(17).await;
    assert_eq!(world.counts()[0], 2, "the first two");
    world.pass(3).await;
    assert_eq!(
        world.counts()[0],
        4,
        "the next two have begun when they could, not when it was seen"
    );
}

#[tokio::test(start_paused = true)]
async fn the_line_has_an_end() {
    let world = World::new();
    for _ in 0..5 {
        world.send().await;
    }
    assert_eq!(world.desk.meters.in_line.get(), 3);
    let refused = world.send().await.await.expect("it has ended");
    let service = SERVICE.to_owned();
    assert_eq!(refused, Err(StageError::Full { service }));
    assert_eq!(
        world.desk.meters.in_line.get(),
        3,
        "who was refused waits nowhere"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_is_told_how_long_it_waited() {
    let world = World::new();
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(world.send().await);
    }
    for waited_us in [0, 0, 10_000] {
        let done = sent.remove(0).await.expect("it has ended");
        let worked_us = 10_000;
        assert_eq!(
            done,
            Ok(Done {
                waited_us,
                worked_us
            })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_waits_for_is_done_all_the_same() {
    let world = World::new();
    for _ in 0..2 {
        world.send().await.abort();
    }
    let next = world.send().await;
    world.pass(10).await;
    world.pass(10).await;
    assert_eq!(world.counts(), [1, 2, 0, 0]);
    let waited_us = next.await.expect("it has ended").map(|done| done.waited_us);
    assert_eq!(waited_us, Ok(10_000), "it waited for those who had gone");
}

#[tokio::test(start_paused = true)]
async fn by_deadline_a_job_that_is_late_when_its_turn_comes_costs_nothing() {
    let world = World::new();
    for (setting, counts) in [("deadline", [2, 0, 1, 0]), ("fifo", [5, 0, 1, 0])] {
        world.knobs.set("admission", setting).expect("a setting");
        for _ in 0..3 {
            world.send().await;
        }
        // The clock runs ahead of the work, as when a process was stopped.
        world
            .clock
            .set(world.clock.now().plus(Duration::from_millis(25)));
        for _ in 0..2 {
            world.pass(10).await;
        }
        assert_eq!(world.counts(), counts, "{setting}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_end_whoever_waits_is_told() {
    let world = World::new();
    let sent = world.send().await;
    let World { desk, tasks, .. } = world;
    drop(desk);
    tasks.shutdown().await;
    let service = SERVICE.to_owned();
    let told = sent.await.expect("it has ended");
    assert_eq!(told, Err(StageError::Ending { service }));
}
