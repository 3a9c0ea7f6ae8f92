//! The program is killed with SIGKILL at random moments: of its start, of the load, of a fold. Then
//! what clients were told is reconciled with what is there.
//!
//! `TRADEWIND_CRASH_ROUNDS=N` sets the kills of all tests together (few, unless it is set),
//! `TRADEWIND_CRASH_SEED=N` replays the moments of a run.

mod checker;
mod history;
mod rounds;
mod system;
mod workload;

use std::path::Path;

use kernel::{Random, SystemRandom};
use testkit::{Postgres, TempDir};

use rounds::{LEASE, Rounds, Sum};
use system::{Recording, Setup};

const ROUNDS_QUICK: u32 = 20;
/// So many rounds go on until there was one of each kind.
const ROUNDS_MANY: u32 = 60;
const APART: &[&str] = &["--apart", "--replicas", "links=3"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_in_one_process_lose_nothing_that_was_acknowledged() {
    let dir = TempDir::new().expect("a temporary directory");
    run(&sqlite(dir.path(), &[], Recording::Durable), percent(20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_of_every_process_apart_lose_nothing_that_was_acknowledged() {
    let dir = TempDir::new().expect("a temporary directory");
    run(&sqlite(dir.path(), APART, Recording::Durable), percent(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_of_grouped_clicks_lose_at_most_what_was_not_committed() {
    let dir = TempDir::new().expect("a temporary directory");
    let sum = run(&sqlite(dir.path(), &[], Recording::Grouped), percent(30)).await;
    // A group is committed every few milliseconds; a machine may be slow, but not for most of many
    // loads. Of one load that was cut off at once it can be most.
    let Sum {
        lost, redirected, ..
    } = sum;
    let is_most = lost >= redirected / 2;
    assert!(
        sum.kills < ROUNDS_MANY || !is_most,
        "{lost} of {redirected} are lost"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_on_postgresql_lose_nothing_that_was_acknowledged() {
    let dir = TempDir::new().expect("a temporary directory");
    if let Some(setup) = postgres(dir.path(), &[], "crash_").await {
        run(&setup, percent(35)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_apart_on_postgresql_lose_nothing_that_was_acknowledged() {
    let dir = TempDir::new().expect("a temporary directory");
    if let Some(setup) = postgres(dir.path(), APART, "crash_apart_").await {
        run(&setup, percent(5)).await;
    }
}

fn sqlite(data: &Path, args: &[&str], recording: Recording) -> Setup {
    let file = data.join("links.db");
    Setup {
        data: data.to_owned(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        env: vec![short_lease()],
        recording,
        store: (format!("sqlite://{}", file.display()), "links".to_owned()),
    }
}

/// A process that died in a fold keeps the others from folding for this long only, so that many rounds have one.
fn short_lease() -> (String, String) {
    let key = "TRADEWIND__LINKS__FOLD_LEASE_SECONDS".to_owned();
    (key, LEASE.as_secs().to_string())
}

/// On the server that the tests share: it is the program that is killed.
async fn postgres(data: &Path, args: &[&str], prefix: &str) -> Option<Setup> {
    let url = Postgres::shared().await?.url();
    let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    all.extend(["--store".to_owned(), url.clone()]);
    let prefix_key = "TRADEWIND__STORE__SCHEMA_PREFIX".to_owned();
    Some(Setup {
        data: data.to_owned(),
        args: all,
        env: vec![(prefix_key, prefix.to_owned()), short_lease()],
        recording: Recording::Durable,
        store: (url, format!("{prefix}links")),
    })
}

/// Runs rounds until the program was killed `kills` times, and at least once under load.
#[expect(
    clippy::print_stdout,
    reason = "the seed of a failing run is needed to replay it"
)]
async fn run(setup: &Setup, kills: u32) -> Sum {
    let seed = number("TRADEWIND_CRASH_SEED").unwrap_or_else(|| SystemRandom.next_u64());
    let args = &setup.args;
    println!("crash: {kills} kills of up {args:?}; replay with TRADEWIND_CRASH_SEED={seed}");
    let mut rounds = Rounds::new(setup.clone(), seed);
    let start = std::time::Instant::now();
    for round in 0.. {
        let sum = rounds.sum();
        if sum.kills >= kills && is_whole(&sum, kills) {
            break;
        }
        assert!(round < 2 * kills + ROUNDS_QUICK, "one-sided: {sum:?}");
        rounds.one().await;
    }
    rounds.reconcile_all().await;
    let (sum, per) = (rounds.sum(), start.elapsed() / kills);
    println!(
        "crash: {} kills done, {} ms each: {sum:?}",
        sum.kills,
        per.as_millis()
    );
    sum
}

/// Whether there was load, and in many rounds one of each kind: rounds are drawn, so that a kind
/// may be missing by chance. Whether a kill hits a fold is a matter of luck: the sum tells.
fn is_whole(sum: &Sum, kills: u32) -> bool {
    let loaded = sum.links > 0 && sum.redirected > 0;
    let each = sum.in_start > 0 && sum.asked_again > 0 && sum.changes > 0;
    loaded && (kills < ROUNDS_MANY || each)
}

/// A share of the kills, rounded up.
fn percent(share: u32) -> u32 {
    let all = number("TRADEWIND_CRASH_ROUNDS").map_or(ROUNDS_QUICK, |asked| {
        u32::try_from(asked).expect("fewer rounds than that")
    });
    (all * share).div_ceil(100).max(1)
}

/// The number in an environment variable. What is no number is a mistake, not the usual.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = parse(&text);
    Some(number.unwrap_or_else(|| panic!("{name} is '{text}': a number from 1 on is wanted")))
}

fn parse(text: &str) -> Option<u64> {
    text.parse().ok().filter(|n| *n > 0)
}

#[test]
fn a_number_of_rounds_that_is_none_is_refused() {
    assert_eq!(parse("1000"), Some(1_000));
    assert!(
        ["", "0", "-1", "2e3", "many"]
            .iter()
            .all(|text| parse(text).is_none())
    );
}
