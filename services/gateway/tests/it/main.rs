//! The gateway over real sockets, before servers of the test's own.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod identity;
mod knobs;
mod limits;
mod protocol;
mod resilience;
mod routing;
mod smuggling;
mod world;
