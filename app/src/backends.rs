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
use tokio::process::{Child, Command};

use crate::data::DataDir;

pub use guard::guard;

const READY_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The servers that run, and where.
#[derive(Debug)]
pub struct Backends {
    servers: Vec<Server>,
    /// The URLs to use.
    pub urls: Urls,
}

/// Where the private servers are, passwords included.
#[derive(Debug, Clone)]
pub struct Urls {
    /// PostgreSQL.
    pub store: String,
    /// Redis or Valkey.
    pub cache: String,
    /// NATS with JetStream.
    pub bus: String,
}

#[derive(Debug)]
struct Server {
    name: &'static str,
    guard: Child,
}

impl Backends {
    /// Finds, starts and awaits all three. `exe` is this program, which guards them.
    pub async fn start(data: &DataDir, exe: &Path, random: &dyn Random) -> Result<Self> {
        let found = find::all()?;
        let (store, store_url) = postgres::start(&found.postgres, data, exe, random).await?;
        let (cache, cache_url) = redis::start(&found.redis, data, exe, random)?;
        let (bus, bus_url) = nats::start(&found.nats, data, exe, random)?;
        let mut servers = vec![store, cache, bus];
        postgres::ready(data, &mut servers[0]).await?;
        reachable(&cache_url, &mut servers[1]).await?;
        reachable(&bus_url, &mut servers[2]).await?;
        Ok(Self {
            servers,
            urls: Urls {
                store: store_url,
                cache: cache_url,
                bus: bus_url,
            },
        })
    }

    /// Stops every server and waits for it.
    pub async fn stop(mut self) {
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

async fn reachable(url: &str, server: &mut Server) -> Result<()> {
    let url = url::Url::parse(url)?;
    let port = url.port().context("our own URL has a port")?;
    until(server, async || {
        tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_ok()
    })
    .await
}
