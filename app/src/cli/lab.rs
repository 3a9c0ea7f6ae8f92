//! `tradewind lab`: experiments that come with the program or are one's own.

mod args;
mod library;
mod list;
mod prices;
mod prove;
mod run;
mod self_test;
mod shelf;

use std::process::ExitCode;

use anyhow::{Result, anyhow};

use super::BadInput;
use super::output::Output;
pub(super) use args::LabArgs;
use args::LabCommand;
use shelf::Shelf;

pub(super) fn run(command: &LabCommand, output: Output) -> Result<ExitCode> {
    match command {
        LabCommand::List => list::list(output),
        LabCommand::Show { experiment } => library::show(experiment, output),
        LabCommand::New { name } => library::new(name, output),
        LabCommand::Run(args) => run::run(args, output),
        LabCommand::Prove(args) => prove::prove(args, output),
        LabCommand::Compare {
            before,
            after,
            place,
        } => {
            let shelf = Shelf::of(place);
            let comparison = reports::compare(&shelf.read(before)?, &shelf.read(after)?);
            output.say(&comparison.to_text(), &comparison)
        }
        LabCommand::SelfTest(args) => self_test::self_test(args, output),
        LabCommand::Prices(args) => prices::prices(args, output),
    }
}

/// A mistake of whoever typed the command, or of the file that was named.
fn bad(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!(BadInput(error.to_string()))
}
