//! The checkers against histories whose verdict is known: published ones, simulated ones, ones that
//! are small enough to try every order, and good ones with one planted fault.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod etcd;
mod events;
mod orders;
mod planted;
mod published;
mod shrinking;
mod simulation;
mod volume;
