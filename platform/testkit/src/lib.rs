//! What tests stand on: private PostgreSQL, Redis and NATS servers, an HTTP client, waiting
//! without sleeping.
//!
//! A server is started from PATH on a free loopback port in a directory of its own, and ends with
//! the test process, however that ends. A test whose server is not installed is skipped with a
//! message on a user's machine and fails where `CI=true`.

mod dir;
mod guard;
mod http;
mod nats;
mod postgres;
mod redis;
mod require;
mod wait;

pub use dir::TempDir;
pub use guard::{ServerProcess, free_port};
pub use http::{Client, Reply};
pub use nats::Nats;
pub use postgres::Postgres;
pub use redis::Redis;
pub use require::{find_program, in_ci, skipped};
pub use wait::eventually;
