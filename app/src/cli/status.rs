//! `tradewind status`: what runs where, and how it fares.

use std::process::ExitCode;

use anyhow::Result;
use console::{Replica, ReplicaState};

use super::args::StatusArgs;
use super::call::{Admin, wait};
use super::output::{Output, date, table};
use crate::operate::system::Status;

pub(super) fn run(args: &StatusArgs, output: Output) -> Result<ExitCode> {
    let admin = Admin::of(&args.target)?;
    let status: Status = wait(admin.client.get(&admin.at("/system")))?;
    let about = &status.about;
    let head = format!(
        "Tradewind {}, {}: data in {}, cache in {}, events by {}",
        about.version, about.topology, about.store, about.cache, about.bus
    );
    let mut rows = vec![row([
        "PROCESS", "SERVICES", "STATE", "PID", "RESTARTS", "SINCE",
    ])];
    rows.extend(status.replicas.iter().map(replica));
    output.say(&format!("{head}\n\n{}", table(&rows)), &status)
}

fn replica(replica: &Replica) -> Vec<String> {
    let state = match replica.state {
        ReplicaState::Starting => "starting",
        ReplicaState::Up => "up",
        ReplicaState::Draining => "draining",
        ReplicaState::Restarting => "restarting",
        ReplicaState::Down => "down",
    };
    vec![
        replica.id.clone(),
        replica.services.join(", "),
        state.to_owned(),
        replica.pid.map_or_else(String::new, |pid| pid.to_string()),
        replica.restarts.to_string(),
        date(replica.since),
    ]
}

fn row(cells: [&str; 6]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
