//! What can be asked of a run, and told to it, while it runs.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::rate::RATE_MAX;
use crate::recorder::Recorder;
use crate::timeline::Second;

/// What the parts of a run share.
pub(crate) struct Shared {
    start: OnceLock<Instant>,
    pub(crate) recorder: Mutex<Recorder>,
    /// The rate that was asked for since the dispatcher looked last.
    rate: Mutex<Option<f64>>,
    pub(crate) changed: Notify,
    pub(crate) stop: CancellationToken,
}

impl Shared {
    pub(crate) fn new(deadline: Option<Duration>) -> Self {
        Self {
            start: OnceLock::new(),
            recorder: Mutex::new(Recorder::new().with_deadline(deadline)),
            rate: Mutex::new(None),
            changed: Notify::new(),
            stop: CancellationToken::new(),
        }
    }

    /// From now on time counts.
    pub(crate) fn begin(&self) {
        self.start.get_or_init(Instant::now);
    }

    /// Nanoseconds since the start; zero before it.
    pub(crate) fn now(&self) -> u64 {
        let elapsed = self.start.get().map_or(Duration::ZERO, Instant::elapsed);
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn take_rate(&self) -> Option<f64> {
        self.rate.lock().take()
    }
}

/// Watches and steers a run, from any thread. Cheap to clone.
#[derive(Clone)]
pub struct Handle(pub(crate) Arc<Shared>);

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Since the start; zero before it.
    pub elapsed: Duration,
    /// Requests that were due so far.
    pub scheduled: u64,
    /// Answers so far.
    pub answered: u64,
    /// The last second that is over.
    pub last: Option<Second>,
}

impl Handle {
    /// From now on `rate` requests a second, brought between zero (a pause) and [`RATE_MAX`]; the
    /// rest of the profile is forgotten.
    pub fn set_rate(&self, rate: f64) {
        let rate = if rate.is_nan() {
            0.0
        } else {
            rate.clamp(0.0, RATE_MAX)
        };
        *self.0.rate.lock() = Some(rate);
        self.0.changed.notify_one();
    }

    /// Ends the schedule. What is in flight has a second to be answered.
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut recorder = self.0.recorder.lock();
        let now = self.0.now();
        recorder.roll(now);
        Progress {
            elapsed: Duration::from_nanos(now),
            scheduled: recorder.counts.scheduled,
            answered: recorder.counts.answered,
            last: recorder.timeline.last(),
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.progress()).finish()
    }
}
