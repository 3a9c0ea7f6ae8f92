//! The story of __name__, over {direct, strict} x {SQLite, PostgreSQL}.
//!
//! The tests of the program tell it once more over processes.

mod story;
mod world;
