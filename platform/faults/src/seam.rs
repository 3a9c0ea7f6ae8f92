//! Where faults strike, and what may be broken there.

use std::fmt;

/// A seam of the program at which faults strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seam {
    /// A contract call over an edge, seen by its caller.
    Call,
    /// A request as it enters a service.
    Request,
    /// A TCP connection through a proxy of ours.
    Socket,
    /// A transaction of a service's database.
    Storage,
    /// A batch of events on its way to a consumer.
    Events,
    /// The calendar, as a process sees it.
    Clock,
    /// A process as a whole.
    Process,
}

/// What distinguishes one seam from another.
struct Traits {
    name: &'static str,
    effects: &'static [&'static str],
    selects: &'static [&'static str],
}

impl Seam {
    /// Every seam.
    pub const ALL: [Self; 7] = [
        Self::Call,
        Self::Request,
        Self::Socket,
        Self::Storage,
        Self::Events,
        Self::Clock,
        Self::Process,
    ];

    /// The name as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.traits().name
    }

    /// The names of the effects that make sense here.
    #[must_use]
    pub const fn effects(self) -> &'static [&'static str] {
        self.traits().effects
    }

    /// The names of the fields that select what is struck here.
    #[must_use]
    pub const fn selects(self) -> &'static [&'static str] {
        self.traits().selects
    }

    /// The seam called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|seam| seam.name() == name)
    }

    /// Whether each of many events is struck or spared: where not, a share of them makes no sense.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        !matches!(self, Self::Clock | Self::Process)
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    const fn traits(self) -> Traits {
        let (name, effects, selects): (_, &[_], &[_]) = match self {
            Self::Call => (
                "call",
                &["latency", "error", "drop"],
                &["caller", "service", "replica", "method"],
            ),
            Self::Request => (
                "request",
                &["latency", "error", "drop"],
                &["service", "replica", "method"],
            ),
            Self::Socket => (
                "socket",
                &["latency", "bandwidth", "reset", "half_open", "black_hole"],
                &["service", "replica"],
            ),
            Self::Storage => (
                "storage",
                &["slow_commit", "slow_read", "io_error", "disk_full"],
                &["service", "replica"],
            ),
            Self::Events => (
                "events",
                &["latency", "error", "drop", "duplicate"],
                &["service", "replica", "method"],
            ),
            Self::Clock => ("clock", &["step"], &["service", "replica"]),
            Self::Process => ("process", &["kill", "stop"], &["service", "replica"]),
        };
        Traits {
            name,
            effects,
            selects,
        }
    }
}

impl fmt::Display for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
