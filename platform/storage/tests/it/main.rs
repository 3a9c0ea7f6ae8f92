//! The conformance of both engines: every promise of the seam, with concurrent workers.

mod engine;
mod files;
mod leases;
mod migrations;
mod once;
mod outbox;
mod restart;
mod tables;
mod transactions;
