//! The two servers as processes, and what they have cost.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

/// A server process; killed when dropped.
pub(crate) struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process id.
    pub pid: u32,
    child: Child,
    _data: Option<testkit::TempDir>,
}

impl Server {
    /// The bare hyper server: this same program with the word `bare`.
    pub(crate) async fn bare() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("the bare server's output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok(Self {
            address: line.trim().parse()?,
            pid: child.id(),
            child,
            _data: None,
        })
    }

    /// `tradewind up` in one process on a fresh data directory.
    pub(crate) async fn tradewind() -> anyhow::Result<Self> {
        let data = testkit::TempDir::new()?;
        let ready = data.path().join("ready.json");
        let child = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .arg("--ready-file")
            .arg(&ready)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pid = child.id();
        let mut server = Self {
            address: ([127, 0, 0, 1], 0).into(),
            pid,
            child,
            _data: Some(data),
        };
        server.address = wait_ready(&ready).await?;
        Ok(server)
    }

    /// The processor time that the process has spent so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let after_name = stat
            .rsplit(") ")
            .next()
            .context("the name in /proc/PID/stat")?;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }
}

async fn wait_ready(file: &Path) -> anyhow::Result<SocketAddr> {
    for _ in 0..1_000 {
        if let Ok(text) = std::fs::read_to_string(file) {
            let ready: serde_json::Value = serde_json::from_str(&text)?;
            let gateway = ready["gateway"].as_str().context("the gateway's URL")?;
            return Ok(gateway
                .trim_start_matches("http://")
                .trim_end_matches('/')
                .parse()?);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("tradewind was not ready within 10 s")
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
