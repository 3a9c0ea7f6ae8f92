//! Prices every knob from the command line: a run for each, one list of all.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use experiments::{Error, Knob, PriceList, PricePlan, Wanted, price_plans};

use super::super::output::{Output, table, write_out};
use super::args::PricesArgs;
use super::shelf::{Shelf, write};
use super::{bad, library, run};

pub(super) fn prices(args: &PricesArgs, output: Output) -> Result<ExitCode> {
    let plans = plans(&args.knobs).map_err(bad)?;
    let wanted = Wanted {
        form: run::form(args.quick),
        ..Wanted::default()
    };
    let specs = plans.iter().map(|plan| plan.spec.clone()).collect();
    let mut runs = run::in_turn(specs, &wanted, None, &Shelf::of(&args.place))?;
    runs.retain(|run| !run.ended_early);
    let (known, all) = (runs.len(), plans.len());
    let list = PriceList::of(plans.into_iter().zip(runs).collect());
    let list = list.context("it was ended before a price was known")?;
    if output.json {
        write_out(&format!("{}\n", serde_json::to_string(&list)?));
    } else {
        write_out(&table(&list.rows()));
    }
    if known < all {
        anyhow::bail!("it was ended after {known} of {all} knobs; no page was written");
    }
    let missing = list.missing();
    if !missing.is_empty() {
        anyhow::bail!("no price was measured of {}", missing.join(", "));
    }
    if let Some(path) = &args.markdown {
        let page = list.to_markdown(&path.display().to_string());
        write(path, page.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is run for every knob.
pub(super) fn all() -> Result<Vec<PricePlan>, Error> {
    plans(&[])
}

/// What is run for the knobs that are named, or for every one that exists.
fn plans(named: &[String]) -> Result<Vec<PricePlan>, Error> {
    let knobs: Vec<Knob> = crate::compose::catalogue()
        .into_iter()
        .map(|knob| Knob {
            name: format!("{}.{}", knob.service, knob.name),
            default: knob.default,
            settings: knob.allowed,
        })
        .collect();
    price_plans(&knobs, named, &library::catalogue())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_has_a_load_and_every_load_a_knob() {
        let plans = plans(&[]).unwrap_or_else(|error| panic!("{error}"));
        let known: Vec<&str> = plans.iter().map(|plan| plan.knob.name.as_str()).collect();
        for (of, _) in experiments::PRICES {
            assert!(known.contains(of), "{of}.toml prices no knob that exists");
        }
        for plan in &plans {
            let names: Vec<&str> = plan.spec.variants().map(|v| v.name.as_str()).collect();
            assert_eq!(names[0], plan.knob.default, "{} first", plan.knob.name);
            assert_eq!(names.len(), plan.knob.settings.len(), "{names:?}");
        }
    }
}
