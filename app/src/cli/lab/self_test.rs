//! How far the statistics can be believed: identical variants, again and again.

use std::process::ExitCode;

use anyhow::Result;
use experiments::{Simulated, Spec, Wanted};
use reports::{Cut, Outcome, SelfTest};

use super::super::output::Output;
use super::args::SelfTestArgs;
use super::bad;
use super::run::measured;
use super::shelf::Shelf;

/// Trials of one experiment, for each of its two variants.
const BLOCKS: u32 = 6;
const CUT: Cut = Cut {
    variants: 2,
    blocks: BLOCKS as usize,
};
/// The share of experiments with a real difference that must see one.
const FOUND_MIN: f64 = 0.95;

/// How often is a difference claimed that is not there?
pub(super) fn self_test(args: &SelfTestArgs, output: Output) -> Result<ExitCode> {
    if !(0.1..=60.0).contains(&args.seconds) {
        return Err(bad("--seconds is 0.1 to 60"));
    }
    let text = include_str!("self-test.toml");
    let mut spec = Spec::read("self-test.toml", text).map_err(bad)?;
    if args.simulated {
        return simulated(&spec, args, output);
    }
    spec.trials.seconds = args.seconds;
    spec.trials.blocks = args.experiments * BLOCKS;
    let run = measured(spec, &Wanted::default(), None, &Shelf::of(&args.place))?;
    let test = reports::self_test(&run, CUT);
    output.say(&test.to_text(), &test)?;
    Ok(code(believed(&test)))
}

fn simulated(spec: &Spec, args: &SelfTestArgs, output: Output) -> Result<ExitCode> {
    let drawn = Simulated::of(spec, CUT, args.experiments, args.seed);
    let found = drawn.different.experiments;
    let text = format!(
        "{}\na real difference of every metric was found in {} of {} experiments\n",
        drawn.equal.to_text(),
        found.hits,
        found.of
    );
    output.say(&text, &drawn)?;
    Ok(code(believed(&drawn.equal) && found.rate >= FOUND_MIN))
}

/// Whether the promise was kept, or chance alone may have broken it.
fn believed(test: &SelfTest) -> bool {
    matches!(test.outcome, Outcome::Held | Outcome::Unclear)
}

fn code(well: bool) -> ExitCode {
    match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
