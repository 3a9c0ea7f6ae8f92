//! Extractors, answers and streams, called without a socket; the server over a real one.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod answers;
mod extract;
mod feed;
mod identity;
mod server;
mod world;
