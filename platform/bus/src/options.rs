//! How patient and how big: every bound of the bus.

use std::time::Duration;

use faults::Faults;
use telemetry::Traces;

/// The settings of a process's bus.
#[derive(Debug, Clone)]
pub struct BusOptions {
    /// When a failed event is tried again, and when it is given up.
    pub retry: RetryOptions,
    /// How often an outbox is looked at when nothing announces a commit.
    pub poll: Duration,
    /// How many events are read and carried at once.
    pub batch_max: u32,
    /// How many events may be on the way to one consumer.
    pub window_max: u64,
    /// How long one relay leads before it has to say so again.
    pub lease: Duration,
    /// How long applied events stay in the outbox.
    pub keep: Duration,
    /// How long a consumer remembers what it has applied. More than `keep`, by the longest time that
    /// a message may linger in a carrier.
    pub remember: Duration,
    /// What strikes events on their way.
    pub faults: Faults,
    /// Where the spans of consumers go.
    pub traces: Option<Traces>,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            retry: RetryOptions::default(),
            poll: Duration::from_millis(200),
            batch_max: 512,
            window_max: 8_192,
            lease: Duration::from_secs(4),
            keep: Duration::from_secs(24 * 3_600),
            remember: Duration::from_secs(8 * 24 * 3_600),
            faults: Faults::default(),
            traces: None,
        }
    }
}

/// When a failed event is tried again, and when it is given up.
#[derive(Debug, Clone, Copy)]
pub struct RetryOptions {
    /// After how many attempts it is a dead letter.
    pub attempts_max: u32,
    /// The pause after the first attempt; each further one doubles it.
    pub pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            attempts_max: 8,
            pause: Duration::from_millis(200),
            pause_max: Duration::from_secs(60),
        }
    }
}
