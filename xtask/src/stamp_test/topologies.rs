//! Runs the program with the stamped service in each topology, and talks to it through the gateway.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::system::System;

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
    let system = System::start(program, &topology.how, name)
        .with_context(|| format!("start the system {}", topology.name))?;
    let told = story(&system.address, name).with_context(|| format!("the story {}", topology.name));
    let ended = system.stop();
    told.and(ended)
}

fn story(address: &str, name: &str) -> Result<()> {
    let path = format!("/api/{name}");
    for number in 0..3 {
        let key = format!("idempotency-key: key-{number}\r\n");
        let body = format!("{{\"name\": \"number {number}\"}}");
        let first = ask(address, "POST", &path, &key, &body)?;
        let again = ask(address, "POST", &path, &key, &body)?;
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
    let list = ask(address, "GET", &path, "", "")?;
    ensure!(
        list.body.matches("number ").count() == 3,
        "GET {path} answered {} {}",
        list.status,
        list.body
    );
    let document = ask(address, "GET", "/api/openapi.json", "", "")?;
    ensure!(
        document.body.contains(&path),
        "the OpenAPI document does not know {path}"
    );
    let started = Instant::now();
    loop {
        let count = ask(address, "GET", &format!("{path}/count"), "", "")?;
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

struct Answer {
    status: u16,
    body: String,
}

/// One request over a connection of its own.
fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    stream.set_read_timeout(Some(WAIT_MAX))?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .context("an answer without a head")?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.context("an answer without a status")?,
        body: body.to_owned(),
    })
}
