//! Runs the program with the stamped service in each topology, and talks to it through the gateway.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::http::{ask, get};
use crate::running::{Data, Running};

/// How long an answer may take, and an event to be counted.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A way to run the system.
pub(super) struct Topology {
    /// What it is called.
    pub(super) name: &'static str,
    pub(super) how: How,
}

/// Which processes are started, and by whom.
pub(super) enum How {
    /// `up` with these flags.
    Up(&'static [&'static str]),
    /// `serve` for the gateway and for the service, which are told of each other.
    Serve,
}

pub(super) const ALL: &[Topology] = &[
    Topology {
        name: "together",
        how: How::Up(&[]),
    },
    Topology {
        name: "strict",
        how: How::Up(&["--strict"]),
    },
    Topology {
        name: "apart",
        how: How::Up(&["--apart"]),
    },
    Topology {
        name: "apart, three replicas",
        how: How::Up(&["--apart", "--replicas", "parcels=3"]),
    },
    Topology {
        name: "apart, two replicas, on PostgreSQL, Redis and NATS",
        how: How::Up(&["--backends", "local", "--apart", "--replicas", "parcels=2"]),
    },
    Topology {
        name: "served one by one",
        how: How::Serve,
    },
];

/// Starts the program, adds three things, reads them back, waits until their events are counted.
pub(super) fn tell_story(program: &Path, topology: &Topology, name: &str) -> Result<()> {
    let data = Data::new("stamp")?;
    let system = start(program, &topology.how, (name, data.path()))
        .with_context(|| format!("start the system {}", topology.name))?;
    let gateway = system.last().context("no process")?.address("gateway")?;
    let told = story(gateway, name).with_context(|| format!("the story {}", topology.name));
    // The one that came last ends first.
    let ended = system.into_iter().rev().try_for_each(Running::stop);
    told.and(ended)
}

/// Starts the processes; the last one has the gateway.
fn start(program: &Path, how: &How, (name, data): (&str, &Path)) -> Result<Vec<Running>> {
    let listen = ["--listen", "127.0.0.1:0"];
    match how {
        How::Up(flags) => {
            let args = [&["up"], &listen[..], flags].concat();
            Ok(vec![Running::start(program, &args, data, "up")?])
        }
        How::Serve => {
            let args = [&["serve", name], &listen[..]].concat();
            let service = Running::start(program, &args, data, "service")?;
            let config = data.join("gateway.toml");
            let known = service.address("admin")?;
            std::fs::write(
                &config,
                format!("[discovery.addresses]\n{name} = [\"{known}\"]\n"),
            )?;
            let config = config.to_string_lossy();
            let args = [&["serve", "gateway", "--config", &*config], &listen[..]].concat();
            let gateway = Running::start(program, &args, data, "gateway")?;
            Ok(vec![service, gateway])
        }
    }
}

fn story(address: &str, name: &str) -> Result<()> {
    let path = format!("/api/{name}");
    for number in 0..3 {
        let key = format!("idempotency-key: key-{number}\r\n");
        let body = format!("{{\"name\": \"number {number}\"}}");
        let first = ask(address, "POST", &path, (&key, &body))?;
        let again = ask(address, "POST", &path, (&key, &body))?;
        ensure!(
            first.status == 201,
            "POST {path} answered {} {}",
            first.status,
            first.body
        );
        ensure!(
            first.body == again.body,
            "the same key answered {} and {}",
            first.body,
            again.body
        );
    }
    let list = get(address, &path)?;
    ensure!(
        list.body.matches("number ").count() == 3,
        "GET {path} answered {} {}",
        list.status,
        list.body
    );
    let document = get(address, "/api/openapi.json")?;
    ensure!(
        document.body.contains(&path),
        "the OpenAPI document does not know {path}"
    );
    let started = Instant::now();
    loop {
        let count = get(address, &format!("{path}/count"))?;
        if count.body.contains("\"count\":3") {
            return Ok(());
        }
        ensure!(
            started.elapsed() < WAIT_MAX,
            "three events, and the count is {} {}",
            count.status,
            count.body
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
