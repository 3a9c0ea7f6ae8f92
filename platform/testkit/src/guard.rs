//! A server process that cannot outlive the test process.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Starts the server, tells its pid, and waits for its own input to end, which happens when the
/// test process ends, even by SIGKILL; then it ends the server and removes its directory.
/// An order (`KILL` or `QUIT`) ends the server by that signal and keeps the directory.
const WATCHDOG: &str = r#"dir=$1; shift; "$@" >>"$dir.log" 2>&1 </dev/null & pid=$!; echo $pid
read -r order
kill -CONT $pid 2>/dev/null; kill -${order:-KILL} $pid 2>/dev/null
wait $pid 2>/dev/null
[ -n "$order" ] || rm -rf "$dir" "$dir.log""#;

/// A running server process with its directory.
#[derive(Debug)]
pub struct ServerProcess {
    watchdog: Child,
    pid: Pid,
    directory: PathBuf,
}

impl ServerProcess {
    /// Runs `command` with its log in `directory`.log; the directory goes when the process does.
    pub fn spawn(directory: PathBuf, command: &[OsString]) -> anyhow::Result<Self> {
        let mut watchdog = Command::new("sh")
            .arg("-c")
            .arg(WATCHDOG)
            .arg("watchdog")
            .arg(&directory)
            .args(command)
            // Ctrl-C is for the tests; the watchdog has to outlive them to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start sh")?;
        let out = watchdog.stdout.take().context("the watchdog's output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let pid = Pid::from_raw(line.trim().parse().context("the server's pid")?);
        Ok(Self {
            watchdog,
            pid,
            directory,
        })
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(log_path(&self.directory)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether the process still runs. One that has ended stays a zombie until its watchdog ends.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        kill(self.pid, None).is_ok() && !stat.contains(") Z ")
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: Signal) {
        // It may have ended already, which is what a test that kills wants.
        let _ = kill(self.pid, signal);
    }

    /// Ends the server with SIGKILL and keeps its directory, so that it can be started again.
    pub fn kill_and_keep(self) -> PathBuf {
        self.end_and_keep(b"KILL\n")
    }

    /// The same with SIGQUIT, for a server with children that it has to take along.
    pub fn quit_and_keep(self) -> PathBuf {
        self.end_and_keep(b"QUIT\n")
    }

    fn end_and_keep(mut self, order: &[u8]) -> PathBuf {
        use std::io::Write as _;
        if let Some(mut input) = self.watchdog.stdin.take() {
            let _ = input.write_all(order);
        }
        let _ = self.watchdog.wait();
        self.directory.clone()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Where the server with this directory logs: beside it, so that wiping keeps the reasons.
pub(crate) fn log_path(directory: &Path) -> PathBuf {
    let mut path = directory.as_os_str().to_owned();
    path.push(".log");
    path.into()
}

/// A loopback port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

/// A new directory that the watchdog, and not this process, removes.
pub(crate) fn server_directory(name: &str) -> anyhow::Result<PathBuf> {
    let dir = tempfile::Builder::new()
        .prefix(&format!("tradewind-{name}-"))
        .tempdir()?;
    Ok(dir.keep())
}

/// Waits until `probe` succeeds; fails with the server's log when it ends or takes too long.
pub(crate) async fn until_ready<F>(
    name: &str,
    process: &ServerProcess,
    probe: impl Fn() -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = bool>,
{
    const ATTEMPTS: u32 = 1_500;
    for _ in 0..ATTEMPTS {
        if probe().await {
            return Ok(());
        }
        anyhow::ensure!(process.is_running(), "{name} ended: {}", process.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("{name} did not answer within 30 s: {}", process.log())
}

/// Whether something accepts connections at the loopback `port` and answers `ask` with `answer`.
pub(crate) async fn answers(port: u16, ask: &[u8], answer: &[u8]) -> bool {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let exchange = async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(ask).await?;
        let mut buffer = vec![0_u8; answer.len()];
        stream.read_exact(&mut buffer).await?;
        Ok::<_, std::io::Error>(buffer == answer)
    };
    matches!(
        tokio::time::timeout(Duration::from_secs(1), exchange).await,
        Ok(Ok(true))
    )
}
