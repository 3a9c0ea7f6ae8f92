//! How a child is started: its command line, its environment, and what it inherits.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::process::{Child, Command};

use super::{PublicListener, Spec};

/// Everything that a child needs to be started.
pub(crate) struct Launcher {
    /// This program.
    pub(crate) exe: PathBuf,
    /// The configuration that the parent runs with.
    pub(crate) config: PathBuf,
    /// Environment variables on top of it: secrets, and where the registry is.
    pub(crate) environment: Vec<(String, String)>,
    /// The public listener, which the gateway inherits as its standard output.
    pub(crate) listener: PublicListener,
}

impl Launcher {
    /// Starts the process of `spec`.
    pub(super) fn spawn(&self, spec: &Spec) -> Result<Child> {
        let mut command = Command::new(&self.exe);
        command
            .args(["serve", spec.service, "--config"])
            .arg(&self.config)
            .args(["--supervised", &spec.replica.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            // The file holds what they said.
            if name
                .to_str()
                .is_some_and(|name| name.starts_with("TRADEWIND__"))
            {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if spec.service == "gateway" {
            let listener = self.listener.0.lock();
            let listener = listener.as_ref().context("the public listener is closed")?;
            command.stdout(Stdio::from(OwnedFd::from(listener.try_clone()?)));
        }
        command
            .spawn()
            .with_context(|| format!("cannot run {}", self.exe.display()))
    }

    /// Lets go of the public listener: once the gateway has, too, clients are refused.
    pub(super) fn close_listener(&self) {
        self.listener.0.lock().take();
    }
}
