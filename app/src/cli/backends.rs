//! Private PostgreSQL, Redis and NATS servers inside the data directory, for one machine.
//!
//! Each runs under a guard process of ours that stops it when we end, however we end.

mod find;
mod guard;
mod nats;
mod postgres;
mod redis;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kernel::Random;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::settings::data::DataDir;

pub(crate) use guard::guard;

const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long one answer may take at the start.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
const ANSWER_BYTES_MAX: usize = 65_536;
/// How many ports are tried for one server.
const ATTEMPTS_MAX: usize = 10;

/// The servers that run, and where.
#[derive(Debug)]
pub(crate) struct Backends {
    servers: Vec<Server>,
    /// The URLs to use.
    pub(crate) urls: Urls,
}

/// Where the private servers are, passwords included.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    /// PostgreSQL.
    pub(crate) store: String,
    /// Redis or Valkey.
    pub(crate) cache: String,
    /// NATS with JetStream.
    pub(crate) bus: String,
}

#[derive(Debug)]
struct Server {
    name: &'static str,
    guard: Child,
}

impl Backends {
    /// Finds, starts and awaits all three. `exe` is this program, which guards them.
    pub(crate) async fn start(data: &DataDir, exe: &Path, random: &dyn Random) -> Result<Self> {
        let found = find::all()?;
        let ((store, store_url), (cache, cache_url), (bus, bus_url)) = tokio::try_join!(
            postgres::start(&found.postgres, data, exe, random),
            redis::start(&found.redis, data, exe, random),
            nats::start(&found.nats, data, exe, random),
        )?;
        Ok(Self {
            servers: vec![store, cache, bus],
            urls: Urls {
                store: store_url,
                cache: cache_url,
                bus: bus_url,
            },
        })
    }

    /// Stops every server and waits for it.
    pub(crate) async fn stop(mut self) {
        for server in &mut self.servers {
            // The guard stops its server when its standard input ends.
            drop(server.guard.stdin.take());
        }
        for server in &mut self.servers {
            if tokio::time::timeout(STOP_WITHIN, server.guard.wait())
                .await
                .is_err()
            {
                tracing::warn!(
                    server = server.name,
                    "a private server did not stop in time"
                );
            }
        }
    }
}

/// A command line for a guarded server.
struct Spec<'a> {
    name: &'static str,
    exe: &'a Path,
    signal: &'static str,
    user: Option<(u32, u32)>,
    log: PathBuf,
    program: &'a Path,
    args: Vec<String>,
}

impl Spec<'_> {
    fn start(self) -> Result<Server> {
        let log = std::fs::File::create(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = Command::new(self.exe);
        command.arg("guard").args(["--signal", self.signal]);
        if let Some((uid, gid)) = self.user {
            command.args(["--user", &format!("{uid}:{gid}")]);
        }
        command.arg("--").arg(self.program).args(self.args);
        command
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        let guard = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        Ok(Server {
            name: self.name,
            guard,
        })
    }
}

/// Starts a server on a free port and waits for it; on another one, if somebody else took that in
/// the meantime.
async fn on_free_port(
    log: &Path,
    mut attempt: impl AsyncFnMut(u16) -> Result<Server>,
) -> Result<(Server, u16)> {
    for _ in 0..ATTEMPTS_MAX {
        let port = free_port()?;
        match attempt(port).await {
            Ok(server) => return Ok((server, port)),
            Err(error) if !lost_its_port(log) => return Err(error),
            Err(_) => {}
        }
    }
    bail!("{ATTEMPTS_MAX} ports were taken by others, one after the other")
}

/// Whether the log of a server that has ended says that another one has its port.
fn lost_its_port(log: &Path) -> bool {
    let said = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&said)
        .to_ascii_lowercase()
        .contains("address already in use")
}

/// A port that nobody has at this moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Waits until `check` holds; ends early when the server has ended.
async fn until(server: &mut Server, mut check: impl AsyncFnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !check().await {
        if let Some(status) = server.guard.try_wait()? {
            bail!(
                "{} ended at start ({status}); its log says why",
                server.name
            );
        }
        if start.elapsed() > READY_WITHIN {
            bail!(
                "{} is not ready after {READY_WITHIN:?}; its log says why",
                server.name
            );
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Waits until the server at `port` answers `ask` with a text that ends in `answer`. What is asked
/// holds its own password, so that no other server is taken for it.
async fn answers(server: &mut Server, port: u16, ask: &str, answer: &str) -> Result<()> {
    until(server, async || {
        let exchange = tokio::time::timeout(ANSWER_WITHIN, exchange(port, ask, answer));
        exchange.await.is_ok_and(|answered| answered.is_ok())
    })
    .await
}

async fn exchange(port: u16, ask: &str, answer: &str) -> std::io::Result<()> {
    let mut stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(ask.as_bytes()).await?;
    let mut said = Vec::new();
    while !said.ends_with(answer.as_bytes()) {
        if said.len() > ANSWER_BYTES_MAX || stream.read_buf(&mut said).await? == 0 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Result<Server> {
        let mut command = Command::new("sleep");
        command.arg("60").kill_on_drop(true);
        Ok(Server {
            name: "test",
            guard: command.spawn()?,
        })
    }

    #[tokio::test]
    async fn a_server_that_lost_its_port_gets_another_and_no_other_failure_is_tried_again() {
        let dir = testkit::TempDir::new().expect("a temporary directory");
        let log = dir.path().join("log");
        let mut ports = Vec::new();
        let started = on_free_port(&log, async |port| {
            ports.push(port);
            if ports.len() == 3 {
                return running();
            }
            std::fs::write(&log, "bind: Address already in use")?;
            bail!("it ended")
        });
        let (_server, port) = started.await.expect("the third is free");
        assert_eq!((ports.len(), ports.last()), (3, Some(&port)));

        std::fs::write(&log, "no space left on device").expect("written");
        let mut tries = 0;
        let failed = on_free_port(&log, async |_| {
            tries += 1;
            bail!("it ended")
        });
        assert_eq!(failed.await.expect_err("it fails").to_string(), "it ended");
        assert_eq!(tries, 1);
    }

    #[tokio::test]
    async fn a_stranger_on_the_port_is_not_taken_for_the_server() {
        let stranger = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let stranger = stranger.expect("a listener");
        let port = stranger.local_addr().expect("its address").port();
        let asked = exchange(port, "AUTH a\r\n", "+OK\r\n");
        let refuse = async {
            let (mut stream, _) = stranger.accept().await.expect("asked");
            stream.write_all(b"-WRONGPASS\r\n").await.expect("told");
        };
        let (answered, ()) = tokio::join!(asked, refuse);
        assert!(answered.is_err());
    }
}
