//! The stories of short links, each on SQLite and on PostgreSQL; those that speak of nodes on three
//! replicas over one database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod analytics;
mod codes;
mod edits;
mod keys;
mod knobs;
mod limits;
mod lists;
mod passwords;
mod races;
mod repeats;
mod rest;
mod safety;
mod statements;
mod transfer;
mod visits;
mod world;
