//! The binary `tradewind`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradewind::cli::run()
}
