//! `tradewind thaw`: stops a process, and lets it go on at its time or when told to.
//!
//! A stop has to end with its lease even if everybody else has been killed, so one small process of
//! its own does both. It compares when the process was started, so that a number that was given to
//! another one in the meantime means nobody.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

/// The process answers whoever asked for it before it stops.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Stops the process `pid`, which was started at `start`, for `ttl`.
pub(crate) async fn thaw(pid: u32, start: u64, ttl: Duration) -> Result<()> {
    let mut told = signal(SignalKind::terminate())?;
    let end = tokio::time::Instant::now() + ttl;
    tokio::select! {
        () = tokio::time::sleep(LAST_WORDS.min(ttl)) => {}
        _ = told.recv() => return Ok(()),
    }
    send(pid, start, Signal::SIGSTOP)?;
    tokio::select! {
        () = tokio::time::sleep_until(end) => {}
        _ = told.recv() => {}
    }
    // One that was killed meanwhile needs nothing.
    let _ = send(pid, start, Signal::SIGCONT);
    Ok(())
}

/// Sends a signal to the process `pid` if it is the one that was started at `start`.
pub(super) fn send(pid: u32, start: u64, what: Signal) -> Result<()> {
    if started(pid) != Some(start) {
        bail!("process {pid} has ended");
    }
    let pid = Pid::from_raw(i32::try_from(pid).context("no such number")?);
    kill(pid, what).context("the process cannot be signalled")
}

/// When the process was started, in ticks since the machine was: field 22 of proc(5)'s `stat`.
pub(super) fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets that may hold anything.
    let after_name = stat.get(stat.rfind(')')? + 1..)?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_means_another_process_is_left_alone() {
        let own = std::process::id();
        let start = started(own).expect("we run");
        // A stop of this very process would hang the test.
        send(own, start + 1, Signal::SIGSTOP).expect_err("somebody else");
        send(own, start, Signal::SIGCONT).expect("it is us");
    }
}
