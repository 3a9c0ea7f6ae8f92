//! The composition root: what the binary `tradewind` is made of.
//!
//! [`start`] puts a system together from its [`Config`](config::Config) and an [`Env`]: everything in
//! one process, one process per service under a supervisor, or one service for an orchestrator. The
//! command line ([`cli`]) and the tests call the same function.
//!
//! Its rooms know only those below: `cli`, `compose`, `operate`, `shell`, `settings`.

pub mod cli;
mod compose;
mod operate;
mod settings;
mod shell;

pub use compose::{Env, Running, start};
pub use settings::{config, data, keys, ready, safety};
pub use shell::role::Role;
