//! A process of the program that a chore drives, with a data directory of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How long a process may take to be ready, and to end.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// A running process. It ends with this value.
pub struct Running {
    child: Child,
    ready: Value,
}

impl Running {
    /// Starts `program` with `args` on the data directory `data`, and waits until it is ready. What it says goes
    /// to files called `name` in `data`.
    pub fn start(program: &Path, args: &[&str], data: &Path, name: &str) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let file = |what: &str| data.join(format!("{name}.{what}"));
        let (said, log) = (file("said"), file("log"));
        let child = Command::new(program)
            .args(args)
            .arg("--json")
            .arg("--data")
            .arg(data.join("data"))
            .stdout(File::create(&said)?)
            .stderr(File::create(&log)?)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let ready = Value::Null;
        let mut running = Self { child, ready };
        let started = Instant::now();
        loop {
            let text = std::fs::read_to_string(&said).unwrap_or_default();
            if text.ends_with('\n') {
                running.ready =
                    serde_json::from_str(&text).context("what it says when it is ready")?;
                return Ok(running);
            }
            let ended = running.child.try_wait()?.is_some();
            if ended || started.elapsed() > WAIT_MAX {
                bail!("it is not ready: {}", std::fs::read_to_string(&log)?.trim());
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// The URL that it calls `name`, without a slash at its end.
    pub fn url(&self, name: &str) -> Result<&str> {
        let url = self.ready[name].as_str();
        let url = url.with_context(|| format!("no `{name}` in {}", self.ready))?;
        Ok(url.trim_end_matches('/'))
    }

    /// Host and port of the URL that it calls `name`.
    pub fn address(&self, name: &str) -> Result<&str> {
        Ok(self.url(name)?.trim_start_matches("http://"))
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as an orchestrator does, and wants it to end well.
    pub fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).context("a process id")?;
        kill(Pid::from_raw(pid), Signal::SIGTERM).context("send SIGTERM")?;
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "a process ended with {status} on SIGTERM");
                return Ok(());
            }
            ensure!(
                started.elapsed() < WAIT_MAX,
                "a process did not end on SIGTERM"
            );
            std::thread::park_timeout(LOOK);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `stop` it has ended, and both find nothing to do.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A folder for data that goes with this value. Not below the target folder: PostgreSQL runs as another user
/// when we are root.
pub struct Data(PathBuf);

impl Data {
    /// The folder for `name`, empty. Others may pass through it, for the same reason.
    pub fn new(name: &str) -> Result<Self> {
        let data =
            Self(std::env::temp_dir().join(format!("tradewind-{name}-{}", std::process::id())));
        data.forget();
        std::fs::create_dir_all(&data.0)?;
        Ok(data)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn forget(&self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.forget();
    }
}
