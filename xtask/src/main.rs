//! `cargo xtask`: picks the chore, prints what it found, exits with 1 where something is wrong.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match xtask::run(&arguments) {
        Ok(outcome) => {
            let mut out = std::io::stdout().lock();
            // A closed pipe (`| head`) is no failure of the chore.
            out.write_all(outcome.text.as_bytes()).ok();
            if outcome.success {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            writeln!(std::io::stderr(), "xtask: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}
