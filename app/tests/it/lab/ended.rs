//! A run that is ended before its time leaves nothing behind.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{VARIANTS, kept, said, small, told, write};
use crate::program::{Killed, command, temporary};
use crate::sandbox::soon;

/// A run that would last for minutes.
fn long() -> String {
    let apart = "[system]\ntopology = 'apart'\n";
    small(&format!("{apart}{VARIANTS}")).replace("blocks = 1", "blocks = 200")
}

fn begin(dir: &Path) -> Child {
    let mut command = command(dir);
    command
        .args(["lab", "run", "small.toml", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Reads what it says until a line contains `words`.
fn until(child: &mut Child, words: &str) {
    let mut said = BufReader::new(child.stderr.as_mut().expect("it is heard"));
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        let read = said.read_line(&mut line).expect("it says something");
        assert!(read > 0, "it ended before it said {words}");
    }
}

fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), signal).expect("it is there");
}

/// The processes that speak of `dir` or work in it, but for the lab itself.
fn of(dir: &Path, lab: u32) -> Vec<String> {
    let place = dir.join(".tradewind/lab");
    let place = place.to_str().expect("a path");
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != lab)
        .filter_map(|pid| {
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
            let meant = command.contains(place) || cwd.to_string_lossy().starts_with(place);
            meant.then(|| format!("{pid} {command}"))
        })
        .collect()
}

/// What is on the shelf of private systems.
fn private(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join(".tradewind/lab")).into_iter();
    let names = entries.flatten().flatten().map(|e| e.file_name());
    names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with('.'))
        .collect()
}

#[test]
fn an_interrupt_keeps_what_was_measured_and_leaves_no_process() {
    let (_guard, dir) = temporary();
    write(&dir, &long());
    let mut lab = begin(&dir);
    let pid = lab.id();
    until(&mut lab, "2/400");
    assert!(
        of(&dir, pid).len() >= 3,
        "a system apart runs: {:?}",
        of(&dir, pid)
    );
    assert_eq!(private(&dir).len(), 1);
    send(&lab, Signal::SIGINT);
    let output = lab.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!((of(&dir, pid), private(&dir)), (vec![], vec![]));
    let run = told(&output);
    assert!(run.ended_early && run.trials.len() >= 2 && run.trials.len() < 400);
    assert_eq!(run.systems.len(), 1);
    assert!(
        reports::to_text(&run).contains("ended early"),
        "{}",
        reports::to_text(&run)
    );
    assert_eq!(kept(&dir), [run]);
}

#[test]
fn an_interrupt_before_anything_was_measured_says_so_and_cleans_up() {
    let (_guard, dir) = temporary();
    write(&dir, &long());
    for moment in ["starting a system", "warming up"] {
        let mut lab = begin(&dir);
        let pid = lab.id();
        until(&mut lab, moment);
        send(&lab, Signal::SIGTERM);
        let output: Output = lab.wait_with_output().expect("it ends");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("ended before anything was measured"),
            "{said}"
        );
        assert!(output.stdout.is_empty());
        let left = (of(&dir, pid), private(&dir));
        assert_eq!(left, (vec![], vec![]), "after '{moment}'");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_of_a_lab_that_was_killed_ends_by_itself() {
    let (_guard, dir) = temporary();
    write(&dir, &long());
    let mut lab = Killed(begin(&dir));
    let pid = lab.0.id();
    until(&mut lab.0, "1/400");
    assert!(!of(&dir, pid).is_empty());
    send(&lab.0, Signal::SIGKILL);
    lab.0.wait().expect("it ends");
    soon("every process is gone", async || of(&dir, pid).is_empty()).await;
}
