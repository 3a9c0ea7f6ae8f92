//! What a fault does.

use std::fmt;

use kernel::Code;

use crate::FaultError;

/// The longest wait that a fault may ask for. No wait outlasts its lease anyway.
pub const MS_MAX: i64 = 3_600_000;
/// The farthest that a clock may be set: a year, either way.
pub const STEP_MS_MAX: i64 = 366 * 86_400_000;
/// The widest pipe that is called narrow, in bytes per second.
const BYTES_PER_S_MAX: u64 = 10_000_000_000;

/// What a fault does to what it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Holds it up.
    Latency(Wait),
    /// Fails it at once.
    Error {
        /// With this code.
        code: Code,
    },
    /// Loses it.
    Drop,
    /// Delivers it twice.
    Duplicate,
    /// Lets so many bytes a second through, each way.
    Bandwidth {
        /// How many.
        bytes_per_s: u64,
    },
    /// Breaks the connection at once, with a reset.
    Reset,
    /// What the client sends vanishes, its end included; answers still come.
    HalfOpen,
    /// Nothing comes through either way, and nobody is told.
    BlackHole,
    /// Holds up a commit, as a slow disk does.
    SlowCommit(Wait),
    /// Holds up a read.
    SlowRead(Wait),
    /// Fails a commit, as a disk does whose sync fails.
    IoError,
    /// Fails a commit, as a full disk does.
    DiskFull,
    /// Sets the clock.
    Step {
        /// So many milliseconds ahead, or back.
        ms: i64,
    },
    /// Ends the process with SIGKILL.
    Kill,
    /// Stops the process with SIGSTOP until the lease ends.
    Stop,
}

/// A wait, in milliseconds, and by how much it varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The mean.
    pub ms: u64,
    /// Evenly up to so much less or more.
    pub jitter_ms: u64,
}

/// The fields of a fault that say more about its effect.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Details {
    pub(crate) ms: Option<i64>,
    pub(crate) jitter_ms: Option<i64>,
    pub(crate) code: Option<Code>,
    pub(crate) bytes_per_s: Option<u64>,
}

impl Effect {
    /// The name as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::Error { .. } => "error",
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Bandwidth { .. } => "bandwidth",
            Self::Reset => "reset",
            Self::HalfOpen => "half_open",
            Self::BlackHole => "black_hole",
            Self::SlowCommit(_) => "slow_commit",
            Self::SlowRead(_) => "slow_read",
            Self::IoError => "io_error",
            Self::DiskFull => "disk_full",
            Self::Step { .. } => "step",
            Self::Kill => "kill",
            Self::Stop => "stop",
        }
    }

    /// The effect called `name`, which is one that a seam has, with its details.
    pub(crate) fn of(name: &str, details: Details) -> Result<Self, FaultError> {
        let effect = match name {
            "latency" => Self::Latency(Wait::of(name, details)?),
            "slow_commit" => Self::SlowCommit(Wait::of(name, details)?),
            "slow_read" => Self::SlowRead(Wait::of(name, details)?),
            "error" => Self::Error {
                code: details.code.unwrap_or(Code::Unavailable),
            },
            "bandwidth" => Self::Bandwidth {
                bytes_per_s: bandwidth(details)?,
            },
            "step" => Self::Step { ms: step(details)? },
            "drop" => Self::Drop,
            "duplicate" => Self::Duplicate,
            "reset" => Self::Reset,
            "half_open" => Self::HalfOpen,
            "black_hole" => Self::BlackHole,
            "io_error" => Self::IoError,
            "disk_full" => Self::DiskFull,
            "kill" => Self::Kill,
            "stop" => Self::Stop,
            _ => return Err(FaultError::NoSuchEffect(name.to_owned())),
        };
        effect.takes_no_more_than(details)?;
        Ok(effect)
    }

    pub(crate) fn details(self) -> Details {
        let mut details = Details::default();
        match self {
            Self::Latency(wait) | Self::SlowCommit(wait) | Self::SlowRead(wait) => {
                details.ms = i64::try_from(wait.ms).ok();
                details.jitter_ms = i64::try_from(wait.jitter_ms).ok().filter(|ms| *ms > 0);
            }
            Self::Error { code } => details.code = Some(code),
            Self::Bandwidth { bytes_per_s } => details.bytes_per_s = Some(bytes_per_s),
            Self::Step { ms } => details.ms = Some(ms),
            _ => {}
        }
        details
    }

    /// The wait that it asks for.
    pub(crate) const fn wait(self) -> Option<Wait> {
        match self {
            Self::Latency(wait) | Self::SlowCommit(wait) | Self::SlowRead(wait) => Some(wait),
            _ => None,
        }
    }

    /// Refuses a detail that says nothing about this effect.
    fn takes_no_more_than(self, given: Details) -> Result<(), FaultError> {
        let taken = self.details();
        let waits = self.wait().is_some();
        let pairs = [
            ("ms", given.ms.is_some() && taken.ms.is_none()),
            ("jitter_ms", given.jitter_ms.is_some() && !waits),
            ("code", given.code.is_some() && taken.code.is_none()),
            (
                "bytes_per_s",
                given.bytes_per_s.is_some() && taken.bytes_per_s.is_none(),
            ),
        ];
        match pairs.into_iter().find(|(_, stray)| *stray) {
            Some((field, _)) => Err(FaultError::StrayField {
                effect: self.name(),
                field,
            }),
            None => Ok(()),
        }
    }
}

impl Wait {
    fn of(effect: &str, details: Details) -> Result<Self, FaultError> {
        let ms = details.ms.ok_or_else(|| needs(effect, "ms"))?;
        let jitter = details.jitter_ms.unwrap_or(0);
        let number = |field, value: i64, most| {
            let fine = u64::try_from(value).ok().filter(|_| value <= most);
            fine.ok_or_else(|| range(field, value, 0, most))
        };
        Ok(Self {
            ms: number("ms", ms, MS_MAX)?,
            jitter_ms: number("jitter_ms", jitter, MS_MAX)?,
        })
    }
}

fn bandwidth(details: Details) -> Result<u64, FaultError> {
    let asked = details
        .bytes_per_s
        .ok_or_else(|| needs("bandwidth", "bytes_per_s"))?;
    if (1..=BYTES_PER_S_MAX).contains(&asked) {
        return Ok(asked);
    }
    Err(range("bytes_per_s", asked, 1, BYTES_PER_S_MAX))
}

fn step(details: Details) -> Result<i64, FaultError> {
    let ms = details.ms.ok_or_else(|| needs("step", "ms"))?;
    if ms != 0 && ms.abs() <= STEP_MS_MAX {
        return Ok(ms);
    }
    let text = format!("ms is {ms}; a step is -{STEP_MS_MAX} to {STEP_MS_MAX}, and not 0");
    Err(FaultError::Range(text))
}

fn needs(effect: &str, field: &'static str) -> FaultError {
    FaultError::Missing {
        what: effect.to_owned(),
        field,
    }
}

fn range<T: fmt::Display>(field: &str, value: T, least: T, most: T) -> FaultError {
    FaultError::Range(format!("{field} is {value}; it must be {least} to {most}"))
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Latency(wait) | Self::SlowCommit(wait) | Self::SlowRead(wait) => {
                write!(f, " {} ms", wait.ms)?;
                match wait.jitter_ms {
                    0 => Ok(()),
                    jitter_ms => write!(f, " (+-{jitter_ms})"),
                }
            }
            Self::Error { code } => write!(f, " {}", code.name()),
            Self::Bandwidth { bytes_per_s } => write!(f, " {bytes_per_s} bytes/s"),
            Self::Step { ms } => write!(f, " {ms:+} ms"),
            _ => Ok(()),
        }
    }
}
