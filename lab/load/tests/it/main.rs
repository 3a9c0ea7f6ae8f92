//! Load against servers with planted behaviour, over real sockets.
//!
//! Times are only compared with what the server itself makes them at least.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod counts;
mod server;
mod steering;
mod waiting;
