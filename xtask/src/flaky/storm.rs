//! Bad weather for tests: busy cores, and processes that stand still for a moment.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::suite::run::{Disturb, lock};

/// A process stands still for at most so long.
const FROZEN_MS_MAX: u64 = 350;
/// From one freeze to the next it takes at most so long.
const PAUSE_MS_MAX: u64 = 1_500;

/// What happens to test processes while a storm lasts.
pub struct Storm {
    is_on: bool,
    processes: Mutex<Vec<u32>>,
    is_over: AtomicBool,
}

impl Storm {
    /// Nothing happens yet; nothing ever does unless it is on.
    #[must_use]
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            processes: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Does `work` while the storm lasts.
    pub fn around<T>(&self, work: impl FnOnce() -> T) -> T {
        if !self.is_on {
            return work();
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| self.keep_busy());
            }
            scope.spawn(|| self.freeze());
            // Also when `work` panics: the scope waits for its threads.
            let _over = Over(&self.is_over);
            work()
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn keep_busy(&self) {
        while !self.is_over() {
            std::hint::spin_loop();
        }
    }

    fn freeze(&self) {
        while !self.is_over() {
            std::thread::park_timeout(Duration::from_millis(below(PAUSE_MS_MAX)));
            let victim = {
                let processes = lock(&self.processes);
                let count = u64::try_from(processes.len()).unwrap_or(0);
                let index = usize::try_from(below(count.max(1))).unwrap_or(0);
                processes.get(index).copied()
            };
            let Some(pid) = victim
                .and_then(|pid| i32::try_from(pid).ok())
                .map(Pid::from_raw)
            else {
                continue;
            };
            // One that has ended in the meantime feels neither.
            kill(pid, Signal::SIGSTOP).ok();
            std::thread::park_timeout(Duration::from_millis(below(FROZEN_MS_MAX)));
            kill(pid, Signal::SIGCONT).ok();
        }
    }
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Disturb for Storm {
    fn began(&self, pid: u32) {
        lock(&self.processes).push(pid);
    }

    fn ended(&self, pid: u32) {
        lock(&self.processes).retain(|other| *other != pid);
    }
}

/// A random number below `bound`.
fn below(bound: u64) -> u64 {
    RandomState::new().hash_one(bound) % bound
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn state(pid: u32) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    #[test]
    fn a_process_is_seen_frozen_and_goes_on_afterwards() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let storm = Storm::new(true);
        storm.began(child.id());
        storm.around(|| {
            while state(child.id()) != Some('T') {
                std::thread::yield_now();
            }
        });
        assert_ne!(state(child.id()), Some('T'), "the storm is over");
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn a_calm_day_disturbs_nobody() {
        assert_eq!(Storm::new(false).around(|| 7), 7);
    }
}
