//! A private Redis (or Valkey).

use std::ffi::OsString;

use nix::sys::signal::Signal;

use crate::guard::{ServerProcess, answers, free_port, server_directory, until_ready};
use crate::{find_program, skipped};

/// A Redis of the test's own, without persistence.
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
        let mut redis = Self {
            port: free_port().expect("a free port"),
            process: None,
        };
        redis.restart().await;
        Some(redis)
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
        let program = find_program("redis-server").or_else(|| find_program("valkey-server"));
        let directory = server_directory("redis").expect("a directory for redis");
        let port = self.port.to_string();
        let mut command = vec![
            program
                .expect("redis was there a moment ago")
                .into_os_string(),
        ];
        let options = [
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        command.extend(options.map(OsString::from));
        command.push("--dir".into());
        command.push(directory.clone().into_os_string());
        let process = ServerProcess::spawn(directory, &command).expect("redis starts");
        let port = self.port;
        until_ready("redis", &process, || {
            answers(port, b"PING\r\n", b"+PONG\r\n")
        })
        .await
        .expect("redis answers");
        self.process = Some(process);
    }
}
