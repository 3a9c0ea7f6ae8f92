//! Runs the program with the stamped service in each topology, and talks to it through the gateway.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// How long a system may take to be ready, and an event to be counted.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A way to run the system.
pub(super) struct Topology {
    /// What it is called.
    pub(super) name: &'static str,
    flags: &'static [&'static str],
}

pub(super) const ALL: &[Topology] = &[
    Topology {
        name: "together",
        flags: &[],
    },
    Topology {
        name: "strict",
        flags: &["--strict"],
    },
    Topology {
        name: "apart",
        flags: &["--apart"],
    },
    Topology {
        name: "apart, three replicas",
        flags: &["--apart", "--replicas", "parcels=3"],
    },
];

/// Starts the program, adds three things, reads them back, waits until their events are counted.
pub(super) fn tell_story(base: &Path, topology: &Topology, name: &str) -> Result<()> {
    let data = base.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    let system = System::start(base, &data, topology)?;
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

struct System {
    child: Child,
    address: String,
}

impl System {
    fn start(base: &Path, data: &Path, topology: &Topology) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let (ready, log) = (data.join("ready-file.json"), data.join("log"));
        let mut child = Command::new(base.join("debug/tradewind"))
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .arg("--ready-file")
            .arg(&ready)
            .args(topology.flags)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()
            .context("start the program")?;
        let started = Instant::now();
        loop {
            if let Some(address) = std::fs::read_to_string(&ready)
                .ok()
                .and_then(|text| gateway(&text))
            {
                return Ok(Self { child, address });
            }
            if child.try_wait()?.is_some() || started.elapsed() > WAIT_MAX {
                child.kill().ok();
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!(
                    "{}: the system did not become ready:\n{said}",
                    topology.name
                );
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Asks it to end, as an orchestrator does.
    fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .context("run kill")?;
        let started = Instant::now();
        while started.elapsed() < WAIT_MAX {
            if let Some(status) = self.child.try_wait()? {
                ensure!(
                    status.success(),
                    "the system ended with {status} on SIGTERM"
                );
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        self.child.kill()?;
        bail!("the system did not end on SIGTERM")
    }
}

/// The gateway's address in a ready file.
fn gateway(text: &str) -> Option<String> {
    let rest = text.split_once("\"gateway\":")?.1;
    let url = rest.split('"').nth(1)?;
    Some(
        url.trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned(),
    )
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

#[cfg(test)]
mod tests {
    use super::gateway;

    #[test]
    fn the_address_is_found_in_a_ready_file() {
        let text = r#"{"pid":1,"gateway":"http://127.0.0.1:4711","links":"http://x"}"#;
        assert_eq!(gateway(text).as_deref(), Some("127.0.0.1:4711"));
    }
}
