//! The built program as a process of the test's own; it ends with the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const READY_WITHIN: Duration = Duration::from_secs(60);
const END_WITHIN: Duration = Duration::from_secs(60);

/// `tradewind up` as a process.
pub(crate) struct Program {
    /// Its own children end with it, because their standard input does.
    child: Killed,
    ready: Value,
}

impl Program {
    /// Starts it on a free port and waits for its ready file.
    pub(crate) fn up(data: &Path, args: &[String], env: &[(String, String)]) -> Self {
        Self::up_saying(data, args, env, Stdio::inherit())
    }

    /// The same, with its log going to `log`.
    pub(crate) fn up_saying(
        data: &Path,
        args: &[String],
        env: &[(String, String)],
        log: impl Into<Stdio>,
    ) -> Self {
        let file = data.join("test-ready.json");
        let _ = std::fs::remove_file(&file);
        let mut child = command(data)
            .env("TRADEWIND__LISTEN", "127.0.0.1:0")
            .args(["up", "--ready-file"])
            .arg(&file)
            .arg("--data")
            .arg(data)
            .args(args)
            .envs(env.iter().cloned())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let start = Instant::now();
        while !file.exists() {
            let ended = child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the program ended at start: {ended:?}");
            assert!(
                start.elapsed() < READY_WITHIN,
                "not ready within {READY_WITHIN:?}"
            );
            pause();
        }
        let text = std::fs::read_to_string(&file).expect("the ready file");
        let ready = serde_json::from_str(&text).expect("the ready file is JSON");
        Self {
            child: Killed(child),
            ready,
        }
    }

    /// A URL of the ready file.
    pub(crate) fn url(&self, name: &str) -> String {
        self.ready[name]
            .as_str()
            .unwrap_or_else(|| panic!("no URL '{name}'"))
            .to_owned()
    }

    /// The ready file.
    pub(crate) fn ready(&self) -> &Value {
        &self.ready
    }

    /// The processes that it supervises.
    pub(crate) fn children(&self) -> Vec<u32> {
        children(self.child.0.id())
    }

    /// Sends a signal to the parent process.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.0.id()).expect("a process id");
        // A test that kills may find that it has ended already.
        let _ = kill(Pid::from_raw(pid), signal);
    }

    /// Ends it and every process that it supervises with SIGKILL, as when the power goes.
    pub(crate) fn kill_all(&mut self) {
        let mut pids = vec![self.child.0.id()];
        pids.extend(children(self.child.0.id()));
        // Stopped first, so that none of them sees another one end.
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            for pid in &pids {
                let _ = kill(
                    Pid::from_raw(i32::try_from(*pid).expect("a process id")),
                    signal,
                );
            }
        }
        self.wait();
        for pid in pids {
            while Path::new(&format!("/proc/{pid}/exe")).exists() {
                pause();
            }
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.0.try_wait().expect("a child can be asked") {
                return status;
            }
            assert!(
                start.elapsed() < END_WITHIN,
                "did not end within {END_WITHIN:?}"
            );
            pause();
        }
    }

    /// Ends it as an operator would.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        assert!(self.wait().success(), "SIGTERM ends it well");
    }
}

/// A process that is killed with the test.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processes whose parent is `pid`.
fn children(pid: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let after_name = stat.get(stat.rfind(')')? + 1..)?;
        after_name.split_whitespace().nth(1)?.parse().ok()
    };
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|child| parent(*child) == Some(pid)).collect()
}

/// The program, in `dir`, knowing nothing of the environment's configuration.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.current_dir(dir).env_remove("TRADEWIND_KEY");
    for (name, _) in std::env::vars() {
        if name.starts_with("TRADEWIND__") {
            command.env_remove(name);
        }
    }
    // What a killed system says about it would drown what a test says.
    command.env("TRADEWIND__LOG__LEVEL", "error");
    command
}

/// Runs a short command to its end.
pub(crate) fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir).args(args).output().expect("the program runs")
}

/// What a command that is refused says: one line on standard error, and exit code 2.
pub(crate) fn refused(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?}");
    said
}

/// What a command that does well says, as JSON.
pub(crate) fn answered(dir: &Path, args: &[&str]) -> Value {
    let output = command(dir)
        .args(args)
        .arg("--json")
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A directory of the test's own.
pub(crate) fn temporary() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().to_owned();
    (dir, path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test waits for a process outside of any runtime"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
