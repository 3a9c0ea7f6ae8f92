//! SQLite and PostgreSQL behind one seam.
//!
//! [`Db::write`] runs a closure in one transaction: committed when it answers `Ok`, rolled back when
//! it answers `Err`. [`Db::read`] runs one on a snapshot. One portable SQL text ([`Sql`]) serves both
//! engines. Events, idempotency keys, leases, knobs and cursors live in the service's own database
//! and change in the same transaction as its data.

mod builder;
mod commits;
mod db;
mod error;
mod faults;
mod metrics;
mod migrate;
mod platform;
mod postgres;
mod prepare;
mod sql;
mod sqlite;
mod tx;
mod value;
mod work;

pub use builder::SqlBuilder;
pub use commits::Commits;
pub use db::{Db, DbOptions};
pub use error::{Error, ErrorKind};
pub use faults::Faults;
pub use migrate::Migration;
pub use platform::cursor::Position;
pub use platform::knob::KnobRow;
pub use platform::lease::Lease;
pub use platform::once::Once;
pub use platform::outbox::{EVENT_BYTES_MAX, EVENT_NAME_BYTES_MAX, OutboxEvent, OutboxRow};
pub use sql::{Dialect, Sql};
pub use tx::Tx;
pub use value::{FromValue, Param, Row, ToParam, Value};

/// What the functions of this crate answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;
