//! Processes under test: started, and measured by the kernel when they have ended.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// This very program as a server; ends when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
}

/// What a process said, and used.
pub(crate) struct Ended {
    pub(crate) said: String,
    pub(crate) cpu: Duration,
    /// The most memory that it held at once.
    pub(crate) memory_bytes: u64,
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--role", "server"])
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no output"))?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address)?;
        Ok(Self {
            url: format!("http://{}/", address.trim()),
            child,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end. Its memory is looked at while it runs, because the kernel keeps only the
/// largest of all children.
pub(crate) fn to_end(command: &mut Command) -> io::Result<Ended> {
    let before = children_cpu()?;
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut memory_bytes = 0;
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| io::Error::other("no output"))?;
    let reading = std::thread::spawn(move || io::read_to_string(stdout));
    while child.try_wait()?.is_none() {
        memory_bytes = memory_bytes.max(peak_of(child.id()));
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let said = reading
        .join()
        .map_err(|_| io::Error::other("the reader ended"))??;
    Ok(Ended {
        said,
        cpu: children_cpu()?.saturating_sub(before),
        memory_bytes,
    })
}

/// The most memory that a process has held so far; zero once it has ended.
fn peak_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// The CPU time of all children that have ended.
fn children_cpu() -> io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}
