//! The console as a browser and a script meet it: its files, its JSON twins, its stream.

mod api;
mod fake;
mod page;
mod runs;
mod watching;
