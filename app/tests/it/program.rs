//! The built program as a process of the test's own; it ends with the test.

use std::os::unix::process::ExitStatusExt as _;
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
    ready_file: PathBuf,
    ready: Value,
    /// The processes that it supervised when it was ready.
    children: Vec<u32>,
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
        let mut program = Self::begin(data, args, env, log);
        let start = Instant::now();
        while !program.ready_file.exists() {
            let ended = program.child.0.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the program ended at start: {ended:?}");
            assert!(
                start.elapsed() < READY_WITHIN,
                "not ready within {READY_WITHIN:?}"
            );
            pause();
        }
        let text = std::fs::read_to_string(&program.ready_file).expect("the ready file");
        program.ready = serde_json::from_str(&text).expect("the ready file is JSON");
        program.children = program.children();
        program
    }

    /// Starts it on a free port, and waits for nothing.
    pub(crate) fn begin(
        data: &Path,
        args: &[String],
        env: &[(String, String)],
        log: impl Into<Stdio>,
    ) -> Self {
        let ready_file = data.join("test-ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let child = command(data)
            .env("TRADEWIND__LISTEN", "127.0.0.1:0")
            .args(["up", "--ready-file"])
            .arg(&ready_file)
            .arg("--data")
            .arg(data)
            .args(args)
            .envs(env.iter().cloned())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        Self {
            child: Killed(child),
            ready_file,
            ready: Value::Null,
            children: Vec::new(),
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
        send(self.child.0.id(), signal);
    }

    /// Stops it and every process that it supervises, so that none sees another one end, and
    /// answers which they are. Fails if one of them has ended by itself since it was ready.
    pub(crate) fn freeze(&self) -> Vec<u32> {
        self.signal(Signal::SIGSTOP);
        // While it is being stopped it may still start a process.
        let start = Instant::now();
        while !matches!(state(self.child.0.id()), Some('T' | 'Z') | None) {
            assert!(start.elapsed() < END_WITHIN, "it does not stop");
            pause();
        }
        let mut pids = self.children();
        for pid in &pids {
            send(*pid, Signal::SIGSTOP);
        }
        if !self.ready.is_null() {
            let ended = |pid: &u32| !pids.contains(pid) || state(*pid) == Some('Z');
            let ended: Vec<_> = self.children.iter().filter(|pid| ended(pid)).collect();
            assert!(ended.is_empty(), "{ended:?} ended without being killed");
        }
        pids.push(self.child.0.id());
        pids
    }

    /// Ends it and every process that it supervises with SIGKILL, as when the power goes. Fails if
    /// one of them has ended by itself.
    pub(crate) fn kill_all(&mut self) {
        let pids = self.freeze();
        for pid in &pids {
            send(*pid, Signal::SIGKILL);
        }
        let status = self.wait();
        let killed = status.signal() == Some(Signal::SIGKILL as i32);
        assert!(killed, "it ended without being killed: {status}");
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

fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("a process id"));
    // A test that kills may find that it has ended already.
    let _ = kill(pid, signal);
}

/// The state of a process, such as `T` for stopped, and its parent.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut after_name = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = after_name.next()?.chars().next()?;
    Some((state, after_name.next()?.parse().ok()?))
}

pub(crate) fn state(pid: u32) -> Option<char> {
    stat(pid).map(|(state, _)| state)
}

/// The processes whose parent is `pid`.
fn children(pid: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |child: &u32| stat(*child).is_some_and(|(_, parent)| parent == pid);
    pids.filter(is_child).collect()
}

/// The program, in `dir`, knowing nothing of the environment's configuration.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.current_dir(dir).env_remove("TRADEWIND_KEY");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRADEWIND__") {
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
pub(crate) fn temporary() -> (testkit::TempDir, PathBuf) {
    let dir = testkit::TempDir::new().expect("a temporary directory");
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

#[test]
fn a_program_of_which_a_process_ended_by_itself_was_not_killed() {
    for args in [&[][..], &["--apart".to_owned()]] {
        let dir = testkit::TempDir::new().expect("a temporary directory");
        let mut program = Program::up(dir.path(), args, &[]);
        let victim = program.children.first().copied();
        let victim = victim.unwrap_or(program.child.0.id());
        send(victim, Signal::SIGTERM);
        while !matches!(state(victim), Some('Z') | None) {
            pause();
        }
        let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| program.kill_all()));
        assert!(killed.is_err(), "{args:?}: it is taken for killed");
        // They stand still, and so cannot see that their supervisor goes.
        for pid in &program.children {
            send(*pid, Signal::SIGKILL);
        }
    }
}
