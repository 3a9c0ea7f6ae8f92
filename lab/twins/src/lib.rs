//! Outbox or dual write? One small system in three designs, killed again and again.
//!
//! A worker takes orders into one database and lets a receiver, "mail", with a database of its own,
//! know of each. The honest design commits the order with an event and has the bus deliver it; its
//! twins write to one database and then to the other, as is often done. A driver kills the worker at
//! moments that it draws from a seed, starts it again, and at the end counts what each order led to.
//!
//! The twins are wrong on purpose and must be caught: they live here and in no service.

mod compare;
mod driver;
mod orders;
mod outbox;
mod worker;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::str::FromStr;

use kernel::{Id, nearest};
use serde::Serialize;

pub use compare::{Seen, Tally, compare};
pub use driver::{Outcome, Plan, run};
pub use worker::{settle, work};

/// How the receiver learns of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The order and its event in one transaction; the bus delivers it.
    Outbox,
    /// The order is committed, then the receiver is written to.
    CommitFirst,
    /// The receiver is written to, then the order is committed.
    PublishFirst,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Outbox, Self::CommitFirst, Self::PublishFirst];

    /// Its name, as on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::CommitFirst => "commit-first",
            Self::PublishFirst => "publish-first",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = TwinError;

    fn from_str(text: &str) -> Result<Self, TwinError> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let near = nearest(text, names).first().map_or_else(
                || format!("there are {}", names.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            TwinError::Mode(text.to_owned(), near)
        })
    }
}

/// A worker or its driver could not go on.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// There is no such mode.
    #[error("no mode is called '{0}'; {1}")]
    Mode(String, String),
    /// What is there would be counted too.
    #[error("{0} holds something already; name a new directory")]
    Used(PathBuf),
    /// A database failed.
    #[error("the databases of the twin failed")]
    Storage(#[from] storage::Error),
    /// The bus failed.
    #[error("the bus of the twin failed")]
    Bus(#[from] bus::BusError),
    /// A file, a pipe or a process failed.
    #[error("cannot {0}")]
    Io(&'static str, #[source] std::io::Error),
    /// The worker said nothing for too long.
    #[error("the worker has said nothing for {0} s; look at what it logs")]
    Silent(u64),
    /// The worker ended without being killed.
    #[error("the worker ended by itself ({0}); look at what it logs")]
    Ended(ExitStatus),
    /// The worker said what it never says.
    #[error(
        "the worker said '{0}', which is no line of its protocol; is the program another version?"
    )]
    Said(String),
    /// Events did not reach the receiver.
    #[error("the outbox has not drained within {0} s")]
    Undelivered(u64),
}

/// A line of the worker's protocol: what it is about, and an order.
fn line(word: &str, id: Id) -> String {
    format!("{word} {id}\n")
}

/// The order of a line that begins with `word`.
fn order_of(word: &str, line: &str) -> Option<Id> {
    line.strip_prefix(word)?.strip_prefix(' ')?.parse().ok()
}

fn url(data: &Path, name: &str) -> String {
    format!("sqlite://{}", data.join(format!("{name}.db")).display())
}
