//! `ci`: everything that must hold before a merge, with a budget for each section.
//!
//! `.ci/run` installs what is missing and calls this. Formatting, the one build and the tests have the machine
//! for themselves; the other sections mostly wait, so their jobs run side by side. What belongs to one service
//! is run when that service has changed lately, and in turn otherwise.

pub mod arguments;
pub mod budget;
pub mod choice;
pub mod job;
mod pool;
mod sections;
mod summary;

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::Outcome;
use arguments::Arguments;
use choice::Choice;
use job::{Ended, Job, Shop};

/// Runs what the words ask for.
pub fn run(root: &Path, words: &[&str]) -> Result<Outcome> {
    let arguments = Arguments::parse(words)?;
    if arguments.budget || arguments.help {
        let budget = || budget::table(budget::SERVICES_THEN);
        let text = if arguments.help {
            arguments::usage()
        } else {
            budget()
        };
        return Ok(Outcome {
            text,
            success: true,
        });
    }
    let began = Instant::now();
    let shop = Shop::open(root, &arguments)?;
    let choice = Choice::make(root, &arguments)?;
    crate::say(&choice.describe());
    let ended = all(&shop, &arguments, &choice)?;
    let whole = summary::Summary {
        ended: &ended,
        services: choice.services.len(),
        took: began.elapsed(),
        is_whole: arguments.sections.is_empty(),
    };
    Ok(Outcome {
        text: whole.text(),
        success: whole.is_well(),
    })
}

/// Runs every job of one section once.
pub fn section(root: &Path, name: &str) -> Result<Vec<Ended>> {
    let arguments = Arguments {
        sections: vec![name.to_owned()],
        all: true,
        ..Arguments::default()
    };
    let (shop, choice) = (
        Shop::open(root, &arguments)?,
        Choice::make(root, &arguments)?,
    );
    Ok(pool::run(
        &shop,
        sections::rest(&shop, &arguments, &choice)?,
    ))
}

fn all(shop: &Shop, arguments: &Arguments, choice: &Choice) -> Result<Vec<Ended>> {
    let mut ended = Vec::new();
    for job in sections::first(arguments) {
        let is_needed = job.section == "build";
        ended.push(shop.run(job));
        if is_needed && ended.last().is_some_and(|build| build.failure.is_some()) {
            return Ok(ended);
        }
    }
    let jobs: Vec<Job> = sections::rest(shop, arguments, choice)?;
    ended.extend(pool::run(shop, jobs));
    Ok(ended)
}
