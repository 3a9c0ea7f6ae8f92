//! The seam of processes: SIGKILL, and SIGSTOP with a helper that ends it whoever else has ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use faults::{Effect, FaultError, FaultView, Faults};
use kernel::Tasks;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;
use tokio::process::Command;

use super::thaw::{send, started};
use crate::shell::host::Host;

/// A process answers whoever asked for its end before it ends.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A process to strike.
#[derive(Debug, Clone)]
pub(crate) struct Victim {
    pid: u32,
    name: String,
}

impl Victim {
    /// The process called `name`.
    pub(crate) fn called(name: &str, pid: u32) -> Self {
        let name = name.to_owned();
        Self { pid, name }
    }

    /// This process.
    pub(crate) fn this() -> Self {
        Self::called("this process", std::process::id())
    }
}

/// The stops of this process's faults, by fault. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopped(Arc<Mutex<BTreeMap<String, Vec<Stop>>>>);

/// A process that stands still.
#[derive(Debug, Clone, Copy)]
struct Stop {
    /// Who lets it go on.
    helper: Pid,
    pid: u32,
    /// When it was started.
    started: u64,
}

impl Stopped {
    /// Ends the stops of a fault: each helper lets its process go on, and ends.
    pub(super) fn release(&self, fault: &str) {
        let stops = self.0.lock().remove(fault).unwrap_or_default();
        for Stop {
            helper,
            pid,
            started,
        } in stops
        {
            // A helper that has ended has done it already, or was killed before it could.
            let _ = kill(helper, Signal::SIGTERM);
            let _ = send(pid, started, Signal::SIGCONT);
        }
    }
}

/// What is done to processes, by this one. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    faults: Faults,
    tasks: Tasks,
    /// This program.
    exe: PathBuf,
    pub(super) stopped: Stopped,
}

impl Faulty {
    /// By the process `host`, whose program is `exe`.
    pub(super) fn of(host: &Host, exe: &Path) -> Self {
        Self {
            faults: host.faults.clone(),
            tasks: host.tasks.clone(),
            exe: exe.to_owned(),
            stopped: Stopped::default(),
        }
    }

    /// Does to `victims` what `fault` says. If it cannot be done, the fault has ended.
    pub(crate) fn enact(&self, fault: &FaultView, victims: &[Victim]) -> Result<(), FaultError> {
        for victim in victims {
            let done = match fault.spec.effect {
                Effect::Kill => self.kill(victim),
                _ => self.stop(fault, victim),
            };
            if let Err(text) = done {
                self.faults.end(&fault.id);
                return Err(FaultError::Nowhere(text));
            }
        }
        if fault.spec.effect == Effect::Kill {
            // There is nothing left to end.
            self.faults.end(&fault.id);
        }
        Ok(())
    }

    fn kill(&self, victim: &Victim) -> Result<(), String> {
        let pid = number(victim)?;
        if victim.pid == std::process::id() {
            self.tasks.spawn(async move {
                tokio::time::sleep(LAST_WORDS).await;
                let _ = kill(pid, Signal::SIGKILL);
            });
            return Ok(());
        }
        kill(pid, Signal::SIGKILL).map_err(|error| format!("cannot kill {}: {error}", victim.name))
    }

    /// Starts the helper, which stops the process and lets it go on: nobody else has to live for that.
    fn stop(&self, fault: &FaultView, victim: &Victim) -> Result<(), String> {
        let failed = |error| format!("cannot stop {}: {error}", victim.name);
        let started = started(victim.pid).ok_or_else(|| format!("{} does not run", victim.name))?;
        let helper = Command::new(&self.exe)
            .arg("thaw")
            .arg(victim.pid.to_string())
            .arg(started.to_string())
            .arg(fault.spec.ttl_ms.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn();
        let mut helper = helper.map_err(|error| failed(error.to_string()))?;
        let pid = helper.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            let mut stopped = self.stopped.0.lock();
            let stops = stopped.entry(fault.id.to_string()).or_default();
            stops.push(Stop {
                helper: Pid::from_raw(pid),
                pid: victim.pid,
                started,
            });
        }
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                _ = helper.wait() => {}
                () = tasks.stopping() => {}
            }
        });
        Ok(())
    }
}

fn number(victim: &Victim) -> Result<Pid, String> {
    let pid = i32::try_from(victim.pid).map_err(|_| format!("{} has no number", victim.name))?;
    Ok(Pid::from_raw(pid))
}
