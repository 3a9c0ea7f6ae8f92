//! Rounds of start, load, SIGKILL and reconciliation, all on one data directory.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Random, SeededRandom, Tasks};
use nix::sys::signal::Signal;
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use super::checker::contradictions;
use super::history::{History, Told};
use super::system::{Recording, Setup, System};
use super::workload::{Crowd, Worker, send_change, send_create};
use crate::program::Program;

const WORKERS: u64 = 6;
/// The load goes on at most so long after the first answer, in milliseconds.
const LOAD_MS_MAX: u64 = 220;
/// So long nobody folds after a process that died in a fold.
pub(crate) const LEASE: Duration = Duration::from_secs(1);
/// About how long a fold takes, in milliseconds.
const FOLD_MS: u64 = 25;
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const FOLD_WITHIN: Duration = Duration::from_secs(60);

/// When a round ends, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// SIGKILL at a random moment of the load.
    InLoad,
    /// SIGKILL at a random moment of the start.
    InStart,
    /// SIGKILL while clicks are being folded.
    InFold,
    /// SIGKILL once every group is committed.
    AtRest,
    /// SIGTERM at a random moment of the load.
    Orderly,
}

/// What was done, in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) kills: u32,
    /// How many of them in the start, and how many for sure inside of a fold.
    pub(crate) in_start: u32,
    pub(crate) in_fold: u32,
    /// Orderly ends besides.
    pub(crate) orderly: u32,
    pub(crate) links: usize,
    pub(crate) changes: usize,
    /// How often a client did not know, and asked again.
    pub(crate) asked_again: u32,
    pub(crate) redirected: u64,
    /// Redirects that were answered and are not counted.
    pub(crate) lost: u64,
}

/// A data directory that is crashed upon again and again.
pub(crate) struct Rounds {
    setup: Setup,
    random: SeededRandom,
    /// What clients saw, by round.
    past: Vec<History>,
    /// How long the last start took.
    start_took: Duration,
    /// When a fold was last waited for.
    last_fold: Option<Instant>,
    sum: Sum,
}

impl Rounds {
    pub(crate) fn new(setup: Setup, seed: u64) -> Self {
        Self {
            setup,
            random: SeededRandom::new(seed),
            past: Vec::new(),
            start_took: Duration::from_millis(100),
            last_fold: None,
            sum: Sum::default(),
        }
    }

    /// One round: start, reconcile the round before, load, end.
    pub(crate) async fn one(&mut self) {
        let end = self.end();
        if end == End::InStart {
            self.crash_in_start().await;
            return;
        }
        let began = Instant::now();
        let system = System::start(&self.setup).await;
        self.start_took = began.elapsed();
        self.reconcile(&system, self.past.len().wrapping_sub(1))
            .await;
        let history = self.load(system, end).await;
        let changes = history.links.iter().map(|link| link.changes.len());
        self.sum.links += history.links.len();
        self.sum.changes += changes.sum::<usize>();
        self.sum.redirected += history.redirected();
        self.past.push(history);
    }

    fn end(&self) -> End {
        let grouped = self.setup.recording == Recording::Grouped;
        match self.random.below(10) {
            0 => End::InStart,
            1 if grouped => End::AtRest,
            2 if grouped => End::Orderly,
            3.. if self.last_fold.is_none_or(|at| at.elapsed() > LEASE) => End::InFold,
            _ => End::InLoad,
        }
    }

    async fn crash_in_start(&mut self) {
        let Setup {
            data, args, env, ..
        } = &self.setup;
        let mut program = Program::begin(data, args, env, Stdio::inherit());
        let most = u64::try_from(self.start_took.as_micros()).unwrap_or(u64::MAX);
        let until = Duration::from_micros(self.random.below(most.max(1)));
        tokio::time::sleep(until).await;
        program.kill_all();
        self.sum.kills += 1;
        self.sum.in_start += 1;
    }

    async fn load(&mut self, mut system: System, end: End) -> History {
        let (stop, tasks) = (CancellationToken::new(), Tasks::new());
        let crowd = Crowd {
            client: system.client.clone(),
            tag: tag(self.past.len()),
            stop: stop.clone(),
            answered: Arc::default(),
        };
        let clients: Vec<_> = (0..WORKERS)
            .map(|number| tasks.spawn(self.worker(&crowd, number).run()))
            .collect();
        let committed = Arc::new(AtomicU64::new(0));
        let (metrics, seen) = (system.metrics(), Arc::clone(&committed));
        let loses = self.setup.recording == Recording::Grouped;
        if loses {
            tasks.spawn(System::watch_commits(metrics, seen, stop.clone()));
        }
        // No kill counts that hits an idle system.
        eventually("a request is answered", ANSWER_WITHIN, || async {
            crowd.answered.load(Ordering::Relaxed) > 0
        })
        .await;
        let load = Duration::from_micros(self.random.below(LOAD_MS_MAX * 1_000));
        tokio::time::sleep(load).await;
        if matches!(end, End::InLoad | End::Orderly) {
            self.finish(&mut system, end).await;
        }
        stop.cancel();
        let mut history = History::default();
        for client in clients {
            history.absorb(client.await.expect("a client tells what it saw"));
        }
        if matches!(end, End::InFold | End::AtRest) {
            // A fold needs groups, and rest means that none is on its way.
            if loses {
                system.until_committed(history.redirected()).await;
            }
            self.finish(&mut system, end).await;
        }
        history.committed = committed.load(Ordering::SeqCst);
        if !loses || end != End::InLoad {
            history.all_is_sure();
        }
        history
    }

    async fn finish(&mut self, system: &mut System, end: End) {
        if end == End::Orderly {
            system.program.signal(Signal::SIGTERM);
            let program = &mut system.program;
            let status = tokio::task::block_in_place(|| program.wait());
            assert!(status.success(), "SIGTERM ends it well: {status}");
            self.sum.orderly += 1;
            return;
        }
        if end == End::InFold {
            self.last_fold = Some(Instant::now());
            let moment =
                Duration::from_micros(self.random.below(1 + self.random.below(FOLD_MS * 1_000)));
            let is_open = system.freeze_in_fold(&self.setup, moment).await;
            self.sum.in_fold += u32::from(is_open);
        }
        let program = &mut system.program;
        tokio::task::block_in_place(|| program.kill_all());
        self.sum.kills += 1;
    }

    fn worker(&self, crowd: &Crowd, number: u64) -> Worker {
        Worker {
            crowd: crowd.clone(),
            name: format!("r{}c{number}", self.past.len()),
            random: SeededRandom::new(self.random.next_u64()),
        }
    }

    /// Looks once more at everything that was ever told, after every click is folded.
    pub(crate) async fn reconcile_all(&mut self) {
        let system = System::start(&self.setup).await;
        self.reconcile(&system, self.past.len().wrapping_sub(1))
            .await;
        for (round, history) in self.past.iter().enumerate() {
            let sound = async || contradictions(history, &system.folded(&tag(round)).await);
            let end = Instant::now() + FOLD_WITHIN;
            let mut found = sound().await;
            while !found.is_empty() && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(100)).await;
                found = sound().await;
            }
            assert!(found.is_empty(), "round {round}, folded: {found:#?}");
        }
    }

    /// What was done until now.
    pub(crate) const fn sum(&self) -> Sum {
        self.sum
    }

    async fn reconcile(&mut self, system: &System, round: usize) {
        let Some(history) = self.past.get_mut(round) else {
            return;
        };
        self.sum.asked_again += ask_again(system, history).await;
        let state = system.state(&tag(round), history).await;
        let found = contradictions(history, &state);
        assert!(found.is_empty(), "round {round}: {found:#?}");
        for link in &mut history.links {
            let counted = link.code.as_ref().and_then(|code| state.clicks.get(code));
            let Some(counted) = counted else { continue };
            self.sum.lost += link.clicks.redirected.saturating_sub(*counted);
            // What is there after a crash is there for good.
            link.clicks.sure = *counted;
        }
    }
}

/// Whoever does not know asks again under the same key, and must end up with one effect.
async fn ask_again(system: &System, history: &mut History) -> u32 {
    let mut asked = 0;
    for link in &mut history.links {
        if link.told == Told::Unknown {
            send_create(&system.client, link).await;
            assert_eq!(link.told, Told::Done, "{} can be sent again", link.name);
            asked += 1;
        }
        let (name, code) = (&link.name, link.code.as_deref().unwrap_or_default());
        for change in &mut link.changes {
            if change.told == Told::Unknown {
                send_change(&system.client, code, change).await;
                assert_eq!(change.told, Told::Done, "{name} can be changed again");
                asked += 1;
            }
        }
    }
    asked
}

fn tag(round: usize) -> String {
    format!("round-{round}")
}
