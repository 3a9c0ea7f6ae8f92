//! `tradewind fault add`, `list` and `clear`.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use console::FaultAt;
use faults::FaultSpec;
use http::Method;
use serde_json::{Map, Value, json};

use super::BadInput;
use super::call::{Admin, wait};
use super::fault_args::{AddArgs, FaultArgs, FaultCommand};
use super::output::{Output, table};

const FAULTS: &str = "/system/faults";

pub(super) fn run(args: &FaultArgs, output: Output) -> Result<ExitCode> {
    match &args.command {
        FaultCommand::Add(args) => add(args, output),
        FaultCommand::List(target) => {
            let admin = Admin::of(target)?;
            let faults: Vec<FaultAt> = wait(admin.client.get(&admin.at(FAULTS)))?;
            output.say(&listed(&faults), &json!({ "faults": faults }))
        }
        FaultCommand::Clear { id, target } => {
            let admin = Admin::of(target)?;
            let path = match id {
                Some(id) => format!("{FAULTS}/{}", plain(id)?),
                None => FAULTS.to_owned(),
            };
            let url = admin.at(&path);
            let answer = wait(admin.client.send(Method::DELETE, &url, &[], Vec::new()))?;
            let ended: Value = answer.json().map_err(bad)?;
            let ids = ended["ended"].as_array().map_or(0, Vec::len);
            let text = match (ids, id) {
                (0, _) => "there was no fault".to_owned(),
                (_, Some(id)) => format!("fault {id} has ended"),
                (1, None) => "one fault has ended".to_owned(),
                (n, None) => format!("{n} faults have ended"),
            };
            output.say(&text, &ended)
        }
    }
}

fn add(args: &AddArgs, output: Output) -> Result<ExitCode> {
    let spec = spec(args)?;
    let admin = Admin::of(&args.target)?;
    let done: FaultAt = wait(admin.client.post(&admin.at(FAULTS), &spec)).map_err(bad)?;
    let mut text = format!(
        "fault {}: {} in {}, for {} ms",
        done.fault.id,
        spec,
        done.replicas.join(", "),
        spec.ttl_ms
    );
    if !done.missed.is_empty() {
        text.push_str(&format!("; not in {}", done.missed.join(", ")));
    }
    output.say(&text, &done)
}

/// What was typed, read as the API reads it: the same words, the same mistakes.
fn spec(args: &AddArgs) -> Result<FaultSpec> {
    let ttl_ms = args.ttl.map(|ttl| u64::try_from(ttl.as_millis()));
    let ttl_ms = ttl_ms.transpose().map_err(|_| bad("--ttl is too long"))?;
    let fields = [
        ("seam", json!(args.seam)),
        ("effect", json!(args.effect)),
        ("service", json!(args.service)),
        ("replica", json!(args.replica)),
        ("caller", json!(args.caller)),
        ("method", json!(args.method)),
        ("ms", json!(args.ms)),
        ("jitter_ms", json!(args.jitter_ms)),
        ("code", json!(args.code)),
        ("bytes_per_s", json!(args.bytes_per_s)),
        ("probability", json!(args.probability)),
        ("seed", json!(args.seed)),
        ("max_hits", json!(args.max_hits)),
        ("ttl_ms", json!(ttl_ms)),
    ];
    let given = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .filter(|(_, value)| !value.is_null());
    let given: Map<String, Value> = given.collect();
    serde_json::from_value(Value::Object(given)).map_err(bad)
}

fn listed(faults: &[FaultAt]) -> String {
    if faults.is_empty() {
        return "nothing is broken; 'tradewind fault add request latency --service links --ms 200 \
                --ttl 30s' breaks something"
            .to_owned();
    }
    let head = ["FAULT", "LEFT", "HITS", "IN", "WHAT"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(faults.iter().map(|at| {
        let fault = &at.fault;
        vec![
            fault.id.to_string(),
            format!("{} s", fault.left_ms.div_ceil(1_000)),
            fault.hits.to_string(),
            at.replicas.join(", "),
            fault.spec.to_string(),
        ]
    }));
    table(&rows)
}

/// An id that can stand in a path.
fn plain(id: &str) -> Result<&str> {
    let fine = id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if fine && !id.is_empty() {
        return Ok(id);
    }
    Err(bad(format!(
        "'{id}' is no id of a fault; see 'tradewind fault list'"
    )))
}

fn bad(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!(BadInput(error.to_string()))
}
