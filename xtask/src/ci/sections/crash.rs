//! The program is killed at random moments: each kind of rounds is a job, since a round mostly waits.

use anyhow::{Context as _, Result, ensure};

use super::super::choice::Choice;
use super::super::job::{Job, Log, Shop};

/// Kills in all, of a run before a merge and of one for a night.
const KILLS: u64 = 200;
/// A week of nights has seven times as many, and the runs before merges come on top.
const KILLS_LONG: u64 = 2_000;

/// The tests whose names begin like this are rounds, of the service that the module is called after.
const ROUNDS: &str = "crash::rounds_";

pub(super) fn jobs(choice: &Choice) -> Vec<Job> {
    // The rounds that there are load links through the gateway.
    if !choice.takes("crash", ["links", "gateway"]) {
        return Vec::new();
    }
    vec![Job::new("crash", ("links", 45.0), rounds)]
}

fn rounds(shop: &Shop, log: &Log) -> Result<()> {
    let wanted = if shop.long { KILLS_LONG } else { KILLS };
    let binaries = shop.binaries()?.iter();
    let mut of_app = binaries.filter(|binary| binary.label() == "tradewind it");
    let binary = of_app.next().context("no tests of the program")?;
    let name = shop
        .only
        .as_deref()
        .filter(|only| only.contains("rounds"))
        .unwrap_or(ROUNDS);
    let mut command = shop.command(&binary.path);
    command
        .args([name, "--nocapture", "--test-threads", "5"])
        .current_dir(&binary.folder)
        .env("TRADEWIND_CRASH_ROUNDS", wanted.to_string());
    log.run(&mut command)?;
    let kills = kills(&log.text());
    log.note(&format!("{kills} kills"));
    ensure!(
        kills >= wanted || shop.only.is_some(),
        "{wanted} kills were asked for, and {kills} were done"
    );
    Ok(())
}

/// The sum of what each test says; a dot of the test runner may stand before a line.
fn kills(text: &str) -> u64 {
    let counts = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once("crash: ")?;
        let (count, _) = rest.split_once(" kills done")?;
        count.parse::<u64>().ok()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::kills;

    #[test]
    fn kills_that_were_done_are_counted() {
        let text =
            "crash: 40 kills of up []\n.crash: 41 kills done, 3 ms each\ncrash: 2 kills done, 1 ms";
        assert_eq!(kills(text), 43);
    }
}
