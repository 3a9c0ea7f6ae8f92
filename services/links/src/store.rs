//! The tables of links and their SQL, one portable text for both engines wherever possible.

pub(crate) mod clicks;
pub(crate) mod days;
pub(crate) mod domains;
pub(crate) mod fold;
pub(crate) mod history;
pub(crate) mod limits;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod locks;
pub(crate) mod outbox;
pub(crate) mod repeats;
pub(crate) mod secrets;
pub(crate) mod write;

use contracts::links::LinksError;
use storage::{ErrorKind, Migration, Sql};

/// The schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "links",
        sqlite: include_str!("store/migrations/sqlite/0001_links.sql"),
        postgres: include_str!("store/migrations/postgres/0001_links.sql"),
    },
    Migration {
        version: 2,
        name: "repeats",
        sqlite: include_str!("store/migrations/sqlite/0002_repeats.sql"),
        postgres: include_str!("store/migrations/postgres/0002_repeats.sql"),
    },
    Migration {
        version: 3,
        name: "folded",
        sqlite: include_str!("store/migrations/sqlite/0003_folded.sql"),
        postgres: include_str!("store/migrations/postgres/0003_folded.sql"),
    },
];

/// Every statement whose text does not depend on the request, for the test that prepares each.
pub const STATEMENTS: &[&[Sql]] = &[
    clicks::STATEMENTS,
    days::STATEMENTS,
    domains::STATEMENTS,
    fold::STATEMENTS,
    history::STATEMENTS,
    limits::STATEMENTS,
    links::STATEMENTS,
    list::STATEMENTS,
    locks::STATEMENTS,
    repeats::STATEMENTS,
    secrets::STATEMENTS,
    write::STATEMENTS,
];

/// A transaction of links failed: the store, or a rule.
#[derive(Debug)]
pub(crate) enum Fail {
    /// The store.
    Store(storage::Error),
    /// A rule.
    Links(LinksError),
}

impl From<storage::Error> for Fail {
    fn from(error: storage::Error) -> Self {
        Self::Store(error)
    }
}

impl From<LinksError> for Fail {
    fn from(error: LinksError) -> Self {
        Self::Links(error)
    }
}

impl From<Fail> for LinksError {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Links(error) => error,
            Fail::Store(error) => of_store(&error),
        }
    }
}

/// What callers are told about a failure of the store. The cause goes to the log.
fn of_store(error: &storage::Error) -> LinksError {
    match error.kind() {
        ErrorKind::IdempotencyMismatch => LinksError::IdempotencyMismatch,
        ErrorKind::CommitUnknown => LinksError::Unclear,
        ErrorKind::Busy
        | ErrorKind::Serialization
        | ErrorKind::Unavailable
        | ErrorKind::CommitFailed
        | ErrorKind::Timeout => LinksError::Unavailable { after_ms: 100 },
        ErrorKind::Full => LinksError::Unavailable { after_ms: 1_000 },
        kind => {
            tracing::error!(%error, ?kind, "the link store failed");
            LinksError::Internal {
                what: "store".to_owned(),
            }
        }
    }
}

/// A value in the store cannot be read.
pub(crate) fn broken(what: &str) -> storage::Error {
    storage::Error::new(ErrorKind::Type, format!("cannot read the kept {what}"))
}
