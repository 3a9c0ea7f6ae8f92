//! The program is killed with SIGKILL at random moments; then what clients were told is reconciled
//! with what is there.
//!
//! `TRADEWIND_CRASH_ROUNDS=N` sets the rounds (200 in CI, few otherwise), `TRADEWIND_CRASH_SEED=N`
//! replays the moments of a run.

mod checker;
mod history;
mod rounds;
mod workload;

use kernel::{Random, SystemRandom};
use testkit::TempDir;

use rounds::Rounds;

const ROUNDS_CI: u32 = 200;
const ROUNDS_QUICK: u32 = 8;
/// A round with several processes costs more, so there are fewer.
const APART_SHARE: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_in_one_process_loses_nothing_that_was_acknowledged() {
    run(&[], rounds()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_of_every_process_apart_loses_nothing_that_was_acknowledged() {
    run(
        &["--apart", "--replicas", "links=3"],
        rounds().div_ceil(APART_SHARE).max(3),
    )
    .await;
}

#[expect(
    clippy::print_stdout,
    reason = "the seed of a failing run is needed to replay it"
)]
async fn run(args: &[&str], count: u32) {
    let seed = std::env::var("TRADEWIND_CRASH_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| SystemRandom.next_u64());
    println!("crash: {count} rounds of up {args:?}; replay with TRADEWIND_CRASH_SEED={seed}");
    let dir = TempDir::new().expect("a temporary directory");
    let mut rounds = Rounds::new(dir.path(), args, seed);
    let start = std::time::Instant::now();
    for _ in 0..count {
        rounds.one().await;
    }
    rounds.reconcile_all().await;
    let (done, per) = (rounds.summary(), start.elapsed() / count);
    println!("crash: {done}; {} ms a round", per.as_millis());
    rounds.was_under_load();
}

fn rounds() -> u32 {
    let asked = std::env::var("TRADEWIND_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok());
    asked
        .unwrap_or(if testkit::in_ci() {
            ROUNDS_CI
        } else {
            ROUNDS_QUICK
        })
        .max(1)
}
