//! The composition root: what the binary `tradewind` is made of.
//!
//! [`start`] puts a system together from its [`Config`](config::Config) and an [`Env`]: everything in
//! one process, one process per service under a supervisor, or one service for an orchestrator. The
//! command line ([`cli`]) and the tests call the same function.

mod admin;
pub mod backends;
mod carriers;
pub mod cli;
mod client;
mod cluster;
mod compose;
pub mod config;
pub mod data;
mod demo;
mod discovery;
mod edges;
mod faulty;
mod front;
mod host;
mod internal;
pub mod keys;
mod leash;
mod outpost;
mod parts;
pub mod ready;
mod registry;
mod running;
mod runs;
pub mod safety;
mod start;
mod strict;
mod supervisor;
mod system;
mod traced;

pub use running::Running;
pub use start::{Env, Role, start};
