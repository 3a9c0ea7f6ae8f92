//! `tradewind knob list`, `catalogue`, `get` and `set`.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::BadInput;
use super::args::{KnobArgs, KnobCommand};
use super::call::{Admin, wait};
use super::output::{Output, table};
use crate::compose;
use crate::operate::admin::{KnobSet, KnobView};

pub(super) fn run(args: &KnobArgs, output: Output) -> Result<ExitCode> {
    match &args.command {
        KnobCommand::List(target) => {
            let knobs = list(&Admin::of(target)?)?;
            output.say(&listed(&knobs), &json!({ "knobs": knobs }))
        }
        KnobCommand::Catalogue => {
            let knobs = compose::catalogue();
            output.say(&listed(&knobs), &json!({ "knobs": knobs }))
        }
        KnobCommand::Get { knob, target } => {
            let knobs = list(&Admin::of(target)?)?;
            let found = knobs.iter().find(|k| full_name(k) == *knob);
            let found = found.ok_or_else(|| unknown(knob, &knobs))?;
            output.say(&found.value, found)
        }
        KnobCommand::Set {
            knob,
            value,
            target,
        } => {
            let admin = Admin::of(target)?;
            let Some((service, name)) = knob.split_once('.') else {
                return Err(unknown(knob, &list(&admin)?));
            };
            let set = KnobSet {
                service: service.to_owned(),
                name: name.to_owned(),
                value: value.clone(),
            };
            let done: KnobView = wait(admin.client.post(&admin.at("/system/knobs"), &set))
                .map_err(|error| anyhow!(BadInput(error.to_string())))?;
            let yet = if done.mixed {
                "; a replica has not followed yet, see knob list"
            } else {
                ""
            };
            output.say(&format!("{knob} is now {}{yet}", done.value), &done)
        }
    }
}

fn listed(knobs: &[KnobView]) -> String {
    let head = ["KNOB", "SETTING", "ALLOWED", "TRADES"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(knobs.iter().map(|knob| {
        vec![
            full_name(knob),
            knob.value.clone(),
            knob.allowed.join(" | "),
            knob.trades.clone(),
        ]
    }));
    table(&rows)
}

fn list(admin: &Admin) -> Result<Vec<KnobView>> {
    wait(admin.client.get(&admin.at("/system/knobs")))
}

fn unknown(knob: &str, knobs: &[KnobView]) -> anyhow::Error {
    let all: Vec<String> = knobs.iter().map(full_name).collect();
    let near = kernel::nearest(knob, all.iter().map(String::as_str));
    let hint = match near.first() {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", all.join(", ")),
    };
    anyhow!(BadInput(format!("no knob is called '{knob}'; {hint}")))
}

/// The name that people type: `links.cache`.
fn full_name(knob: &KnobView) -> String {
    format!("{}.{}", knob.service, knob.name)
}
