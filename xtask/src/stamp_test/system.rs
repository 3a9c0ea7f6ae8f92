//! The processes of one running system, with a data directory of their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::topologies::How;

/// How long a process may take to be ready, and to end.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A running system. Its processes and its data go with it.
pub(super) struct System {
    /// In the order in which they were started.
    processes: Vec<Child>,
    data: PathBuf,
    /// Where its gateway listens.
    pub(super) address: String,
}

impl System {
    /// Starts `program` with the service `name`, and waits until it is ready.
    pub(super) fn start(program: &Path, how: &How, name: &str) -> Result<Self> {
        // Not below the target folder: PostgreSQL runs as another user when we are root.
        let data = std::env::temp_dir().join(format!("tradewind-stamp-{}", std::process::id()));
        let mut system = Self {
            processes: Vec::new(),
            data,
            address: String::new(),
        };
        system.forget()?;
        std::fs::create_dir_all(&system.data)?;
        let listen = ["--listen", "127.0.0.1:0"];
        system.address = match how {
            How::Up(flags) => {
                let args = [&["up"], &listen[..], flags].concat();
                system.run(program, &args, ("", ""))?.url("gateway")?
            }
            How::Serve => {
                let args = [&["serve", name], &listen[..]].concat();
                let address = system.run(program, &args, ("", ""))?.url("admin")?;
                let known = format!("TRADEWIND__DISCOVERY__ADDRESSES__{}", name.to_uppercase());
                let args = [&["serve", "gateway"], &listen[..]].concat();
                let env = (known.as_str(), format!("['{address}']"));
                system
                    .run(program, &args, (env.0, &env.1))?
                    .url("gateway")?
            }
        };
        Ok(system)
    }

    /// Starts one process and waits for what it says once it is ready.
    fn run(&mut self, program: &Path, args: &[&str], env: (&str, &str)) -> Result<Ready> {
        let number = self.processes.len();
        let file = |what: &str| self.data.join(format!("{what}-{number}"));
        let (said, log) = (file("said"), file("log"));
        let mut command = Command::new(program);
        command
            .args(args)
            .arg("--json")
            .arg("--data")
            .arg(self.data.join("data"));
        if !env.0.is_empty() {
            command.env(env.0, env.1);
        }
        let child = command
            .stdout(std::fs::File::create(&said)?)
            .stderr(std::fs::File::create(&log)?)
            .stdin(Stdio::null())
            .spawn()
            .context("start the program")?;
        self.processes.push(child);
        let started = Instant::now();
        loop {
            let text = std::fs::read_to_string(&said).unwrap_or_default();
            if text.ends_with('\n') {
                return Ok(Ready(text));
            }
            let ended = self.processes[number].try_wait()?.is_some();
            if ended || started.elapsed() > WAIT_MAX {
                bail!("it is not ready: {}", std::fs::read_to_string(&log)?.trim());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Asks every process to end, as an orchestrator does: first the one that came last.
    pub(super) fn stop(mut self) -> Result<()> {
        while let Some(mut process) = self.processes.pop() {
            let pid = process.id().to_string();
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .context("run kill")?;
            let started = Instant::now();
            let status = loop {
                if let Some(status) = process.try_wait()? {
                    break status;
                }
                if started.elapsed() > WAIT_MAX {
                    process.kill()?;
                    bail!("a process did not end on SIGTERM");
                }
                std::thread::park_timeout(Duration::from_millis(20));
            };
            ensure!(status.success(), "a process ended with {status} on SIGTERM");
        }
        self.forget()
    }

    fn forget(&self) -> Result<()> {
        if self.data.exists() {
            std::fs::remove_dir_all(&self.data)?;
        }
        Ok(())
    }
}

impl Drop for System {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().ok();
            process.wait().ok();
        }
    }
}

/// What a process says once it is ready: one flat JSON object.
struct Ready(String);

impl Ready {
    /// Host and port of the URL called `name`.
    fn url(&self, name: &str) -> Result<String> {
        let rest = self.0.split_once(&format!("\"{name}\":"));
        let url = rest.and_then(|(_, rest)| rest.split('"').nth(1));
        let url = url.with_context(|| format!("no `{name}` in {}", self.0))?;
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        Ok(address.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Ready;

    #[test]
    fn the_address_is_found_in_what_is_said() {
        let text = r#"{"pid":1,"gateway":"http://127.0.0.1:4711/","links":"http://x"}"#;
        let ready = Ready(text.to_owned());
        assert_eq!(ready.url("gateway").unwrap(), "127.0.0.1:4711");
        assert!(ready.url("admin").is_err());
    }
}
