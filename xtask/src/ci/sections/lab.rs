//! Every experiment runs, and its checks can fail; in the long form its verdict counts, too.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::super::choice::Choice;
use super::super::job::{Job, Log, Shop};

/// What a proof takes if the program does not say.
const ABOUT_S: f64 = 20.0;

pub(super) fn jobs(shop: &Shop, choice: &Choice) -> Result<Vec<Job>> {
    let output = shop
        .command(shop.program())
        .args(["lab", "list", "--json"])
        .output();
    let output = output.context("list the experiments")?;
    let list: Value = serde_json::from_slice(&output.stdout).context("the list of experiments")?;
    let mut jobs = Vec::new();
    for each in list["experiments"].as_array().context("experiments")? {
        let name = each["id"]
            .as_str()
            .context("the id of an experiment")?
            .to_owned();
        let about = each["services"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        if choice.takes(&format!("lab {name}"), about) {
            let about_s = each["proof_s"].as_f64().unwrap_or(ABOUT_S);
            jobs.push(Job::new(
                "lab",
                (&name.clone(), about_s),
                move |shop, log| experiment(shop, log, &name),
            ));
        }
    }
    jobs.push(Job::new("lab", ("self-test", ABOUT_S), self_test));
    jobs.push(Job::new("lab", ("prices", ABOUT_S), |shop, log| {
        let form: &[&str] = if shop.long {
            &["prices"]
        } else {
            &["prices", "links.cache", "--quick"]
        };
        lab(shop, log, form)
    }));
    Ok(jobs)
}

fn experiment(shop: &Shop, log: &Log, name: &str) -> Result<()> {
    lab(shop, log, &[if shop.long { "run" } else { "prove" }, name])
}

/// How often a difference is claimed that is not there: by drawn trials, the same each time, and in the long form on a
/// real system, too.
fn self_test(shop: &Shop, log: &Log) -> Result<()> {
    lab(shop, log, &["self-test", "--simulated"])?;
    if shop.long {
        lab(shop, log, &["self-test"])
    } else {
        Ok(())
    }
}

fn lab(shop: &Shop, log: &Log, words: &[&str]) -> Result<()> {
    let mut command = shop.command(program(shop));
    command
        .arg("lab")
        .args(words)
        .arg("--data")
        .arg(&log.folder);
    log.run(&mut command)
}

/// A verdict is about the program that users run; a proof needs none that is optimised.
fn program(shop: &Shop) -> std::path::PathBuf {
    let release = shop.root.join("target/release/tradewind");
    if shop.long && release.exists() {
        release
    } else {
        shop.program()
    }
}
