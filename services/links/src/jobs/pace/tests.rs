//! The decision, look by look.

use super::*;

const LOOK: Duration = Duration::from_millis(250);

/// Time, and a store whose groups have the numbers from 1 on.
struct Sim {
    pace: Pace,
    start: Steady,
    now: Steady,
    /// The clicks of each group, folded or not.
    groups: Vec<u64>,
    folded: usize,
}

/// One fold: when, in milliseconds from the start, and how many clicks.
type Folds = Vec<(u128, u64)>;

impl Sim {
    fn new() -> Self {
        let now = Steady::default();
        Self {
            pace: Pace::new(now),
            start: now,
            now,
            groups: Vec::new(),
            folded: 0,
        }
    }

    fn waiting(&self) -> Waiting {
        let number = |at: usize| i64::try_from(at).expect("small");
        if self.folded == self.groups.len() {
            return Waiting::default();
        }
        let seen = usize::try_from(self.pace.seen()).expect("small");
        Waiting {
            first: number(self.folded + 1),
            last: number(self.groups.len()),
            clicks: self.groups[seen.max(self.folded)..].iter().sum(),
        }
    }

    /// For some seconds, four looks each: so many new groups of so many clicks a look. A fold takes
    /// `took`, and no more than a fold may.
    fn run(&mut self, seconds: u32, (groups, clicks): (usize, u64), took: Duration) -> Folds {
        let mut folds = Vec::new();
        for _ in 0..4 * seconds {
            self.groups.extend(std::iter::repeat_n(clicks, groups));
            let waiting = self.waiting();
            if let Some(last) = self.pace.due(&waiting, self.now) {
                let upto = usize::try_from(last).expect("small");
                let mut sum = 0;
                while self.folded < upto && sum < CLICKS_MAX {
                    sum += self.groups[self.folded];
                    self.folded += 1;
                }
                folds.push((self.now.since(self.start).as_millis(), sum));
                self.pace.folded(self.now, self.now.plus(took));
            }
            self.now = self.now.plus(LOOK);
        }
        folds
    }
}

const SHORT: Duration = Duration::from_millis(5);

#[test]
fn what_comes_when_it_is_quiet_is_folded_after_two_seconds() {
    let mut sim = Sim::new();
    assert_eq!(sim.run(1, (0, 0), SHORT), []);
    sim.groups.push(30_000);
    // However many: nothing comes that could be folded together with it.
    assert_eq!(sim.run(10, (0, 0), SHORT), [(3_000, 30_000)]);
}

#[test]
fn a_trickle_is_folded_after_two_seconds_and_rests_by_what_it_took() {
    let mut sim = Sim::new();
    let folds = sim.run(6, (1, 100), SHORT);
    assert_eq!(
        folds,
        [(2_000, 100), (3_250, 500), (4_500, 500), (5_750, 500)]
    );
    let mut sim = Sim::new();
    let folds = sim.run(20, (1, 100), Duration::from_millis(100));
    let times: Vec<u128> = folds.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [2_000, 7_250, 12_500, 17_750]);
}

#[test]
fn a_load_that_begins_gathers_for_a_minute_and_then_rests_by_what_it_took() {
    let mut sim = Sim::new();
    // 40,000 clicks a second.
    let folds = sim.run(65, (10, 1_000), SHORT);
    let (at, clicks) = folds[0];
    assert_eq!(at, 60_000);
    assert!((2_300_000..2_400_000).contains(&clicks), "{folds:?}");
    assert!(folds.len() > 3, "cheap ones do not wait: {folds:?}");
    let mut sim = Sim::new();
    // As much as one fold takes comes earlier, and what it costs is known then.
    let folds = sim.run(30, (25, 4_000), SHORT);
    assert_eq!(folds[0], (11_750, CLICKS_MAX));
    assert!(folds.len() > 10, "{folds:?}");
    let mut sim = Sim::new();
    let folds = sim.run(130, (10, 1_000), Duration::from_secs(2));
    assert_eq!(folds.len(), 2, "{folds:?}");
}

#[test]
fn as_much_as_one_fold_takes_does_not_wait_and_is_not_split() {
    let mut sim = Sim::new();
    // 400,000 clicks a second: a fold in ten seconds.
    let folds = sim.run(60, (25, 4_000), Duration::from_secs(1));
    assert_eq!(folds.len(), 5, "{folds:?}");
    for (_, clicks) in &folds {
        assert_eq!(*clicks, CLICKS_MAX);
    }
    let mut sim = Sim::new();
    let folds = sim.run(20, (4_000, 5), SHORT);
    assert_eq!(folds.first().map(|(at, _)| *at), Some(3_000), "{folds:?}");
}

#[test]
fn a_load_that_ends_is_folded_at_once_and_a_trickle_after_it_is_no_load() {
    let mut sim = Sim::new();
    assert_eq!(sim.run(10, (10, 1_000), SHORT), []);
    // All of it together, although something comes still.
    assert_eq!(sim.run(2, (1, 1), SHORT), [(11_750, 400_000)]);
    assert_eq!(sim.run(2, (0, 0), SHORT).len(), 2);
}

#[test]
fn no_click_waits_longer_than_a_minute() {
    let (mut sim, long) = (Sim::new(), Duration::from_secs(3));
    sim.run(10, (10, 1_000), long);
    // The fold that follows the load rests for a minute; another load begins before that is over.
    let first = sim.run(60, (1, 1), long);
    assert_eq!(first, [(11_750, 400_000)]);
    let second = sim.run(30, (10, 1_000), long);
    assert_eq!(second.len(), 1, "{second:?}");
    let (at, _) = second[0];
    assert!(at <= 72_250, "what came at 10 seconds: {second:?}");
}

#[test]
fn what_others_have_folded_is_forgotten() {
    let mut sim = Sim::new();
    sim.run(1, (10, 1_000), SHORT);
    sim.folded = 20;
    sim.pace.due(&sim.waiting(), sim.now);
    assert_eq!(sim.pace.found.iter().map(|f| f.clicks).sum::<u64>(), 20_000);
    sim.folded = sim.groups.len();
    sim.pace.due(&sim.waiting(), sim.now);
    assert_eq!(sim.pace.seen(), 0);
}

#[test]
fn a_group_that_comes_to_light_late_does_not_wait_for_the_rest() {
    let now = Steady::default();
    let mut pace = Pace::new(now);
    let look = |number| Waiting {
        first: number,
        last: number,
        clicks: 1,
    };
    assert_eq!(pace.due(&look(3), now), None);
    assert_eq!(pace.due(&look(3), now.plus(AFTER)), Some(3));
    let late = now.plus(AFTER + Duration::from_secs(10));
    pace.folded(now.plus(AFTER), late);
    assert_eq!(pace.due(&look(2), late), None);
    assert_eq!(pace.due(&look(2), late.plus(AFTER)), Some(2));
    assert_eq!(pace.due(&Waiting::default(), late.plus(AFTER)), None);
}
