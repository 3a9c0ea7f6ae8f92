//! Killed again and again, the honest design keeps every promise, and its twins are caught.
//!
//! `TRADEWIND_TWIN_KILLS=N` sets the kills of each design (100 unless set), `TRADEWIND_TWIN_SEED=N`
//! draws other moments.

use std::path::PathBuf;

use ::twins::{Mode, Outcome, Plan, TwinError, run};
use testkit::TempDir;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn plan(mode: Mode, dir: &TempDir) -> Plan {
    let kills = number("TRADEWIND_TWIN_KILLS").unwrap_or(100);
    Plan {
        mode,
        kills: u32::try_from(kills).expect("a number of kills"),
        seed: number("TRADEWIND_TWIN_SEED").unwrap_or(1),
        program: PathBuf::from(env!("CARGO_BIN_EXE_tradewind")),
        data: dir.path().join("twin"),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a long run is made for its numbers: seen with --nocapture"
)]
async fn outcome(mode: Mode) -> Outcome {
    let dir = TempDir::new().expect("a temporary directory");
    let plan = plan(mode, &dir);
    let mut killed = 0;
    let outcome = run(&plan, |round| killed = round).await;
    let outcome = outcome.expect("the driver comes through");
    println!("{outcome:?}");
    assert_eq!((killed, outcome.kills), (plan.kills, plan.kills));
    assert!(outcome.told >= u64::from(plan.kills), "{outcome:?}");
    assert_eq!(
        outcome.tally.unkept, 0,
        "what was told is stored: {outcome:?}"
    );
    outcome
}

#[tokio::test]
async fn an_outbox_loses_nothing_and_doubles_nothing() {
    let outcome = outcome(Mode::Outbox).await;
    assert!(outcome.tally.is_clean(), "{outcome:?}");
    assert_eq!(outcome.mails, outcome.stored);
}

#[tokio::test]
async fn whoever_commits_first_loses_mails_and_is_caught() {
    let tally = outcome(Mode::CommitFirst).await.tally;
    assert!(tally.lost > 0, "{tally:?}");
    assert_eq!((tally.invented, tally.doubled), (0, 0), "{tally:?}");
}

#[tokio::test]
async fn whoever_publishes_first_invents_mails_and_is_caught() {
    let tally = outcome(Mode::PublishFirst).await.tally;
    assert!(tally.invented > 0, "{tally:?}");
    assert_eq!((tally.lost, tally.doubled), (0, 0), "{tally:?}");
}

#[tokio::test]
async fn a_directory_that_holds_something_is_refused() {
    let dir = TempDir::new().expect("a temporary directory");
    let mut plan = plan(Mode::Outbox, &dir);
    plan.data = dir.path().to_owned();
    std::fs::write(dir.path().join("mine"), "").expect("a file");
    let refused = run(&plan, |_| {}).await;
    assert!(matches!(refused, Err(TwinError::Used(_))), "{refused:?}");
}

#[tokio::test]
async fn a_worker_that_ends_by_itself_is_not_taken_for_killed() {
    let dir = TempDir::new().expect("a temporary directory");
    let mut plan = plan(Mode::Outbox, &dir);
    plan.program = PathBuf::from("/bin/true");
    let refused = run(&plan, |_| {}).await;
    assert!(matches!(refused, Err(TwinError::Ended(_))), "{refused:?}");
}
