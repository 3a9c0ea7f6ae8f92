//! The conformance of both engines: every promise of the seam, with concurrent workers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commits;
mod engine;
mod files;
mod leases;
mod migrations;
mod once;
mod outbox;
mod recent;
mod restart;
mod tables;
mod transactions;
