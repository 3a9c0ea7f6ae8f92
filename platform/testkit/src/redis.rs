//! A private Redis (or Valkey).

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use nix::sys::signal::Signal;

use crate::guard::{ServerProcess, answers, free_ports, server_directory, start_on, until_ready};
use crate::{find_program, skipped};

/// A Redis of the test's own, which saves to disk only when told.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    process: Option<ServerProcess>,
}

impl Redis {
    /// Starts one; `None` when it is not installed (in CI that panics).
    pub async fn start() -> Option<Self> {
        if find_program("redis-server")
            .or_else(|| find_program("valkey-server"))
            .is_none()
        {
            skipped("redis-server", "install Debian's package redis-server");
            return None;
        }
        let started = start_on(free_ports(), Self::launch).await;
        let (port, process) = started.expect("redis starts");
        Some(Self {
            port,
            process: Some(process),
        })
    }

    /// `redis://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Stops it from answering, without closing its connections.
    pub fn pause(&self) {
        self.process.iter().for_each(|p| p.signal(Signal::SIGSTOP));
    }

    /// Lets it answer again.
    pub fn resume(&self) {
        self.process.iter().for_each(|p| p.signal(Signal::SIGCONT));
    }

    /// Ends it with SIGKILL; what it held is lost.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it, empty, on the same port.
    pub async fn restart(&mut self) {
        self.kill();
        let directory = server_directory("redis").expect("a directory for redis");
        self.start_in(directory).await;
    }

    /// Writes what it holds to its disk.
    pub async fn save(&self) {
        assert!(
            answers(self.port, b"SAVE\r\n", b"+OK\r\n").await,
            "redis saves"
        );
    }

    /// Ends it with SIGKILL and starts it with what was saved last.
    pub async fn restart_from_disk(&mut self) {
        let process = self.process.take().expect("a redis that runs");
        self.start_in(process.kill_and_keep()).await;
    }

    async fn start_in(&mut self, directory: PathBuf) {
        let process = Self::launch_in(self.port, directory).await;
        self.process = Some(process.expect("redis starts"));
    }

    pub(crate) async fn launch(port: u16) -> anyhow::Result<ServerProcess> {
        Self::launch_in(port, server_directory("redis")?).await
    }

    async fn launch_in(port: u16, directory: PathBuf) -> anyhow::Result<ServerProcess> {
        let program = find_program("redis-server").or_else(|| find_program("valkey-server"));
        let program = program.context("redis was there a moment ago")?;
        let text = port.to_string();
        let mut command = vec![program.into_os_string()];
        let options = [
            "--bind",
            "127.0.0.1",
            "--port",
            &text,
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        command.extend(options.map(OsString::from));
        command.push("--dir".into());
        command.push(directory.clone().into_os_string());
        let process = ServerProcess::spawn(directory, &command)?;
        until_ready("redis", (&process, port), || {
            answers(port, b"PING\r\n", b"+PONG\r\n")
        })
        .await?;
        Ok(process)
    }
}
