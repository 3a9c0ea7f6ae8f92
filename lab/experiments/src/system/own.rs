//! A private system: a process of its own that is started, waited for and ended.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::{ANSWER_WITHIN, Status};
use crate::client::Client;
use crate::error::{Error, Result, failed};
use crate::spec::{Backends, SystemSpec, Topology};

/// How long a system may take until it is ready; private servers are slow to start.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How long it may take to end when it is asked to.
const END_WITHIN: Duration = Duration::from_secs(20);
/// How much of a log is shown when a system fails.
const LOG_LINES: usize = 5;
/// In its folder: says where it is, as soon as it is ready.
const READY: &str = "ready.json";

/// A system that was started here.
pub(super) struct Own {
    child: Child,
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Ready {
    admin: String,
}

impl Own {
    /// Starts `program` as `spec` says, with its data in `folder`.
    pub(super) fn spawn(program: &Path, spec: &SystemSpec, folder: PathBuf) -> Result<Self> {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|e| failed(folder.display(), e))?;
        let log = std::fs::File::create(folder.join("log"));
        let log = log.map_err(|error| failed(folder.display(), error))?;
        let mut command = Command::new(program);
        command
            .arg("up")
            .args(["--listen", "127.0.0.1:0", "--leash", "--json", "--data"])
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(folder.join(READY))
            .args(flags(spec))
            .envs(environment(spec)?)
            .current_dir(&folder)
            // Held open as long as we live: its end ends the system.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TRADEWIND_") && !set(spec, &name) {
                command.env_remove(name);
            }
        }
        let child = command.spawn().map_err(|e| failed(program.display(), e))?;
        Ok(Self { child, folder })
    }

    /// Where it is administered, and what it is, as soon as it is ready.
    pub(super) async fn begun(&mut self) -> Result<(String, Client, Status)> {
        let Ready { admin } = self.ready().await?;
        let client = Client::new(None, ANSWER_WITHIN);
        let status = client.get(&format!("{admin}/system")).await?;
        Ok((admin, client, status))
    }

    async fn ready(&mut self) -> Result<Ready> {
        let start = Instant::now();
        let file = self.folder.join(READY);
        loop {
            let text = std::fs::read(&file).unwrap_or_default();
            if let Ok(ready) = serde_json::from_slice(&text) {
                return Ok(ready);
            }
            let ended = self.child.try_wait().map_err(|e| failed("the system", e))?;
            if ended.is_some() || start.elapsed() > READY_WITHIN {
                let why = if ended.is_some() {
                    "ended"
                } else {
                    "was not ready in time"
                };
                return Err(Error::Failed(format!("the system {why}: {}", self.log())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join(" | ")
    }

    /// Ends it and removes its data.
    pub(super) async fn stop(mut self) {
        // Waiting lets go of it otherwise, which tells the system a second time: it would hurry, and
        // leave its processes behind.
        let leash = self.child.stdin.take();
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        let group = pid.map(Pid::from_raw);
        if let Some(leader) = group {
            let _ = kill(leader, Signal::SIGTERM);
        }
        if tokio::time::timeout(END_WITHIN, self.child.wait())
            .await
            .is_err()
        {
            // Whatever it has started has its group.
            if let Some(group) = group {
                let _ = killpg(group, Signal::SIGKILL);
            }
            let _ = self.child.wait().await;
        }
        drop(leash);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn flags(spec: &SystemSpec) -> Vec<String> {
    let mut flags = Vec::new();
    match spec.topology {
        Topology::Together => {}
        Topology::Strict => flags.push("--strict".to_owned()),
        Topology::Apart => flags.push("--apart".to_owned()),
    }
    for (service, count) in &spec.replicas {
        flags.extend(["--replicas".to_owned(), format!("{service}={count}")]);
    }
    if spec.backends == Backends::Local {
        flags.extend(["--backends", "local"].map(str::to_owned));
    }
    flags
}

/// Configuration keys as environment variables: `store.url` is `TRADEWIND__STORE__URL`.
fn environment(spec: &SystemSpec) -> Result<Vec<(String, String)>> {
    let variable = |(key, value): (&String, &toml::Value)| {
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Table(_) | toml::Value::Datetime(_) => {
                return Err(Error::Bad(format!(
                    "config.{key} is a text, number, list or flag"
                )));
            }
            other => other.to_string(),
        };
        Ok((variable(key), text))
    };
    spec.config.iter().map(variable).collect()
}

fn variable(key: &str) -> String {
    format!("TRADEWIND__{}", key.to_uppercase().replace('.', "__"))
}

fn set(spec: &SystemSpec, name: &std::ffi::OsStr) -> bool {
    spec.config.keys().any(|key| variable(key).as_str() == name)
}
