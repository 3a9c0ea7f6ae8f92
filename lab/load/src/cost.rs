//! What the generator uses of the machine.

use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike as _;

/// What a thread has had of the processors so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// The time that it ran.
    pub(crate) cpu: Duration,
    /// The time that it had work and no processor, because others had them all.
    pub(crate) starved: Duration,
}

impl Usage {
    /// Of this thread. What the system does not tell is zero.
    pub(crate) fn of_this_thread() -> Self {
        let micros = getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| {
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
        });
        // "ran waited slices", in nanoseconds: Documentation/scheduler/sched-stats.rst of Linux.
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let waited = text
            .split_whitespace()
            .nth(1)
            .and_then(|nanos| nanos.parse().ok());
        Self {
            cpu: Duration::from_micros(u64::try_from(micros).unwrap_or(0)),
            starved: Duration::from_nanos(waited.unwrap_or(0)),
        }
    }

    /// What came on top of `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            starved: self.starved.saturating_sub(before.starved),
        }
    }
}

/// Makes room for so many more open files, as far as this user may; answers how many there is
/// room for, of those that were wanted.
pub(crate) fn room_for_files(wanted: u64) -> u64 {
    /// What a process has open anyway, and one connection more for each of 256 hosts.
    const OTHERS: u64 = 64 + 256;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return wanted;
    };
    let needed = wanted + OTHERS;
    if soft >= needed {
        return wanted;
    }
    let raised = needed.min(hard);
    match setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
        Ok(()) => raised.saturating_sub(OTHERS).min(wanted),
        Err(_) => soft.saturating_sub(OTHERS).min(wanted),
    }
}
