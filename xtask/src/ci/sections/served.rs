//! Sections that drive a running system from outside: schemathesis, promtool, a browser.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::super::choice::Choice;
use super::super::job::{Job, Log, Shop};
use crate::http;
use crate::running::{Data, Running};

const TOGETHER: &[&str] = &[];
const APART: &[&str] = &["--apart", "--replicas", "links=3"];
const LOCAL: &[&str] = &["--backends", "local", "--apart", "--replicas", "links=2"];
/// The runs in a browser: their flags, and the only parts that look different there.
const BROWSED: &[(&str, &[&str], &[&str])] = &[
    ("together", TOGETHER, &[]),
    ("apart", APART, &["overview", "links", "design", "faults"]),
    ("backends", LOCAL, &["overview", "links"]),
];
/// Where the seeds of schemathesis are, one file for each service.
const SEEDS: &str = "tests/openapi";
/// How long schemathesis draws requests besides those that are the same each time, before a merge and in a night.
const SECONDS: &str = "0";
/// See [`SECONDS`].
const SECONDS_LONG: &str = "600";
/// A process with fewer lines of metrics has hardly any.
const METRICS_MIN: usize = 20;

/// Starts the program of the tests, and gives it to `work`.
fn with_system(
    shop: &Shop,
    (name, flags): (&str, &[&str]),
    work: impl FnOnce(&Running) -> Result<()>,
) -> Result<()> {
    let data = Data::new(&format!("ci-{name}"))?;
    let args = [&["up", "--listen", "127.0.0.1:0"], flags].concat();
    let system = Running::start(&shop.program(), &args, data.path(), "up")?;
    work(&system)?;
    system.stop()
}

pub(super) fn openapi(shop: &Shop, choice: &Choice) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for entry in std::fs::read_dir(shop.root.join(SEEDS)).context(SEEDS)? {
        let file = entry?.file_name();
        let Some(service) = file.to_str().and_then(|name| name.strip_suffix(".json")) else {
            continue;
        };
        if choice.takes(&format!("openapi {service}"), [service]) {
            let service = service.to_owned();
            jobs.push(Job::new(
                "openapi",
                (&service.clone(), 40.0),
                move |shop, log| schemathesis(shop, log, &service),
            ));
        }
    }
    Ok(jobs)
}

fn schemathesis(shop: &Shop, log: &Log, service: &str) -> Result<()> {
    with_system(shop, (&format!("openapi-{service}"), TOGETHER), |system| {
        let seconds = if shop.long { SECONDS_LONG } else { SECONDS };
        let mut python = shop.command("python3");
        python.args(["tests/openapi/run.py", system.url("gateway")?]);
        python.arg(&log.folder).args([seconds, "--only", service]);
        log.run(&mut python)
    })
}

pub(super) fn metrics() -> Vec<Job> {
    let job = |name: &'static str, processes, flags: &'static [&str]| {
        Job::new("metrics", (name, 5.0), move |shop, log| {
            let flags = [&["--demo"], flags].concat();
            with_system(shop, (&format!("metrics-{name}"), &flags), |system| {
                promtool(shop, log, (system, processes))
            })
        })
    };
    vec![job("together", 1, TOGETHER), job("apart", 5, APART)]
}

/// The metrics of every process are as Prometheus wants them.
fn promtool(shop: &Shop, log: &Log, (system, processes): (&Running, usize)) -> Result<()> {
    let mut status = Command::new(shop.program());
    let said = log.read(status.args(["status", "--json", "--url", system.url("admin")?]))?;
    let status: Value = serde_json::from_str(&said).context("the status")?;
    let replicas = status["replicas"].as_array().context("replicas")?;
    ensure!(
        replicas.len() == processes,
        "{} processes instead of {processes}",
        replicas.len()
    );
    for replica in replicas {
        let address = replica["address"].as_str().context("an address")?;
        let metrics = http::get(address, "/metrics")?.body;
        let file = log.folder.join(address.replace(':', "-"));
        std::fs::write(&file, &metrics)?;
        ensure!(
            metrics.lines().count() > METRICS_MIN,
            "{address} gives hardly any metrics"
        );
        let mut check = shop.command("sh");
        check
            .args(["-c", "exec promtool check metrics <\"$1\"", "sh"])
            .arg(&file);
        log.run(&mut check)?;
    }
    Ok(())
}

pub(super) fn browser(shop: &Shop, choice: &Choice) -> Result<Vec<Job>> {
    let output = shop
        .command("node")
        .args(["tests/browser/run.mjs", "--list"])
        .output();
    let output = output.context("run node")?;
    let parts: Value =
        serde_json::from_slice(&output.stdout).context("the parts of tests/browser")?;
    let mut taken = BTreeSet::new();
    for part in parts["parts"].as_array().into_iter().flatten() {
        let name = part["name"].as_str().context("the name of a part")?;
        let about = part["services"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        if choice.takes(&format!("browser {name}"), about) {
            taken.insert(name.to_owned());
        }
    }
    let jobs = BROWSED.iter().filter_map(|(name, flags, only)| {
        let fits = |part: &&String| only.is_empty() || only.contains(&part.as_str());
        let parts: Vec<String> = taken.iter().filter(fits).cloned().collect();
        (!parts.is_empty()).then(|| {
            Job::new("browser", (name, 60.0), move |shop, log| {
                browse(shop, log, (&parts, flags))
            })
        })
    });
    Ok(jobs.collect())
}

fn browse(shop: &Shop, log: &Log, (parts, flags): (&[String], &[&str])) -> Result<()> {
    let mut node = shop.command("node");
    let parts = shop.only.clone().unwrap_or_else(|| parts.join(","));
    node.args(["tests/browser/run.mjs", "--only", &parts]);
    node.arg("--")
        .args(flags)
        .env("TRADEWIND_BIN", shop.program());
    log.run(&mut node)
}
