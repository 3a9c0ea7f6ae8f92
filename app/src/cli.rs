//! The command line: what a person may ask for, and how answers and mistakes are told.
//!
//! The room above all others: `up` and `serve` start a system, everything else asks one that runs.

mod args;
mod backends;
mod banner;
mod call;
mod config;
mod fault;
mod fault_args;
mod key;
mod knob;
mod lab;
mod leash;
mod load;
mod load_args;
mod output;
mod process;
mod proxy;
mod serve;
mod status;
mod target;
mod twin;
mod up;
mod values;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use crate::settings::config::Mistake;
use args::{Cli, Command};
use output::Output;

/// A mistake of whoever typed the command: one line that says what to do; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadInput(String);

const BAD_INPUT: u8 = 2;

/// Runs the program and answers its exit code: 0 well, 1 failed, 2 bad input.
#[must_use]
pub fn run() -> ExitCode {
    let json = std::env::args_os().any(|arg| arg == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error, json),
    };
    let output = Output { json: cli.json };
    match dispatch(cli.command, output) {
        Ok(code) => code,
        Err(error) => {
            let bad = error.is::<BadInput>() || error.is::<Mistake>();
            output.error(&error);
            ExitCode::from(if bad { BAD_INPUT } else { 1 })
        }
    }
}

fn dispatch(command: Command, output: Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(args) => up::run(*args, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Config(args) => config::run(args, output),
        Command::Key(args) => key::run(&args, output),
        Command::Knob(args) => knob::run(&args, output),
        Command::Fault(args) => fault::run(&args, output),
        Command::Status(args) => status::run(&args, output),
        Command::Load(args) => load::run(&args, output),
        Command::Lab(args) => lab::run(&args.command, output),
        Command::Proxy(args) => proxy::run(&args, output),
        Command::Guard(args) => args.run(),
        Command::Thaw { pid, start, ttl_ms } => {
            let ttl = Duration::from_millis(ttl_ms);
            call::wait(crate::operate::faulty::thaw::thaw(pid, start, ttl))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Twin(args) => twin::run(&args),
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            output.say(
                &format!("tradewind {version}"),
                &serde_json::json!({"version": version}),
            )
        }
    }
}

/// Says in one line what clap says in several.
fn refused(error: &clap::Error, json: bool) -> ExitCode {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::write_out(&text);
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::write_out(&text);
            return ExitCode::from(BAD_INPUT);
        }
        _ => {}
    }
    Output { json }.error(&anyhow::Error::new(BadInput(one_line(&text))));
    ExitCode::from(BAD_INPUT)
}

fn one_line(text: &str) -> String {
    let usage = text
        .lines()
        .position(|line| line.starts_with("Usage:"))
        .unwrap_or(usize::MAX);
    let said: Vec<&str> = text
        .lines()
        .take(usage)
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .map(|line| {
            line.trim_start_matches("error: ")
                .trim_start_matches("tip: ")
        })
        .collect();
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let help = usage
        .map(|usage| format!("; usage: {usage}"))
        .unwrap_or_default();
    format!("{}{help}", said.join("; "))
}

#[cfg(test)]
mod tests;
