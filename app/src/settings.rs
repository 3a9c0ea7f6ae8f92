//! What a process is told before it starts: configuration, data directory, keys, and what is safe.
//!
//! The lowest room: it knows nothing of the program that reads it.

pub mod config;
pub mod data;
pub mod keys;
pub mod ready;
pub mod safety;
