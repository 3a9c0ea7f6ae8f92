//! The composition root: what the binary `tradewind` is made of.

pub mod backends;
mod client;
pub mod config;
pub mod data;
pub mod keys;
pub mod ready;
pub mod safety;
