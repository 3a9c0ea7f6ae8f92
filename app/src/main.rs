//! The binary `tradewind`.

use std::process::ExitCode;

/// A request allocates some dozens of times; docs/adr/0009 has what this saves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tradewind::cli::run()
}
