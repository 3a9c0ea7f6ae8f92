//! What an experiment may set before the system starts.

use serde::{Deserialize, Serialize};

/// How large the services of the stage are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many requests `stage_front` serves at once, as a server with so many threads does.
    pub slots: usize,
    /// How many more wait for a slot; the rest is refused.
    pub waiting: usize,
    /// How long a request may take, its wait for a slot included.
    pub timeout_ms: u64,
    /// What `stage_back` can do.
    pub back: Capacity,
    /// What `stage_steady` can do.
    pub steady: Capacity,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            slots: 64,
            waiting: 64,
            timeout_ms: 2_000,
            back: Capacity::default(),
            steady: Capacity {
                workers: 64,
                work_ms: 1,
                ..Capacity::default()
            },
        }
    }
}

/// What a callee can do: `workers * 1000 / work_ms` jobs a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// How many jobs are worked on at once.
    pub workers: usize,
    /// How long a job takes.
    pub work_ms: u64,
    /// How many jobs wait in line; the rest is refused.
    pub queue: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            workers: 4,
            work_ms: 10,
            queue: 10_000,
        }
    }
}

const WORKERS_MAX: usize = 1_024;
const WORK_MS_MAX: u64 = 60_000;
const QUEUE_MAX: usize = 100_000;
const SLOTS_MAX: usize = 100_000;
const TIMEOUT_MS_MAX: u64 = 60_000;

impl Config {
    /// The same with what makes no sense brought to the nearest that does.
    pub(crate) fn bounded(&self) -> Self {
        Self {
            slots: self.slots.clamp(1, SLOTS_MAX),
            waiting: self.waiting.min(SLOTS_MAX),
            timeout_ms: self.timeout_ms.clamp(1, TIMEOUT_MS_MAX),
            ..self.clone()
        }
    }
}

impl Capacity {
    /// The same with what makes no sense brought to the nearest that does.
    pub(crate) fn bounded(&self) -> Self {
        Self {
            workers: self.workers.clamp(1, WORKERS_MAX),
            work_ms: self.work_ms.clamp(1, WORK_MS_MAX),
            queue: self.queue.clamp(1, QUEUE_MAX),
        }
    }
}
