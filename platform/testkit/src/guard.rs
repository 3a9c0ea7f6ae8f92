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

use crate::TempDir;

/// Starts the server, tells its pid, and waits for its own input to end, which happens when the
/// test process ends, even by SIGKILL; then it ends the server and removes its directory.
/// An order (`KILL` or `QUIT`) ends the server by that signal and keeps the directory.
const WATCHDOG: &str = r#"dir=$1; shift; "$@" >>"$dir.log" 2>&1 </dev/null & pid=$!; echo $pid
read -r order
kill -CONT $pid 2>/dev/null; kill -${order:-KILL} $pid 2>/dev/null
wait $pid 2>/dev/null
[ -n "$order" ] || rm -rf "$dir" "$dir.log""#;

/// How many ports are tried.
const ATTEMPTS_MAX: usize = 10;

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

    /// Whether it is this process that listens on the loopback `port`; assumed where nothing tells.
    fn listens_on(&self, port: u16) -> bool {
        let Ok(sockets) = std::fs::read_to_string("/proc/net/tcp") else {
            return true;
        };
        let address = format!("0100007F:{port:04X}");
        let inode = sockets.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN; the tenth field is the socket's number.
            let listens = fields.get(1) == Some(&address.as_str()) && fields.get(3) == Some(&"0A");
            fields
                .get(9)
                .filter(|_| listens)
                .map(|n| format!("socket:[{n}]"))
        });
        let Some(inode) = inode else { return false };
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.pid));
        let mut links = open.into_iter().flatten().flatten();
        links.any(|fd| {
            std::fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == inode.as_str())
        })
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

/// Starts a server on a loopback port that `ports` gives, and on the next one if somebody else took
/// it in the meantime.
pub(crate) async fn start_on(
    ports: impl Iterator<Item = u16>,
    mut launch: impl AsyncFnMut(u16) -> anyhow::Result<ServerProcess>,
) -> anyhow::Result<(u16, ServerProcess)> {
    for port in ports.take(ATTEMPTS_MAX) {
        match launch(port).await {
            Ok(process) => return Ok((port, process)),
            Err(error) if is_taken(&error.to_string()) => {}
            Err(error) => return Err(error),
        }
    }
    anyhow::bail!("{ATTEMPTS_MAX} ports were taken, one after the other")
}

/// What every server says when another one has its port.
fn is_taken(said: &str) -> bool {
    said.to_ascii_lowercase().contains("address already in use")
}

/// Loopback ports that are free at the moment, outside of the range that the kernel takes from by
/// itself: no connection and no other listener on port 0 gets one, also while a server is away.
pub(crate) fn free_ports() -> impl Iterator<Item = u16> {
    std::iter::from_fn(|| Some(12_000 + random() % 20_000)).filter(|port| {
        let bound = std::net::TcpListener::bind(("127.0.0.1", *port));
        bound.is_ok()
    })
}

/// A loopback port that is free at the moment and that the kernel gives to nobody by itself, for a
/// listener that cannot be asked where it listens.
#[must_use]
pub fn free_port() -> u16 {
    free_ports().next().unwrap_or_default()
}

fn random() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    let hash = RandomState::new().hash_one(std::process::id());
    u16::try_from(hash % 65_536).unwrap_or(0)
}

/// A new directory that the watchdog, and not this process, removes.
pub(crate) fn server_directory(name: &str) -> anyhow::Result<PathBuf> {
    Ok(TempDir::named(name)?.keep())
}

/// Waits until the process listens on `port` and `probe` succeeds; fails with the server's log when it ends or takes too long.
pub(crate) async fn until_ready<F>(
    name: &str,
    (process, port): (&ServerProcess, u16),
    probe: impl Fn() -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = bool>,
{
    const ATTEMPTS: u32 = 1_500;
    for _ in 0..ATTEMPTS {
        // Whoever has the port may be of the same kind, and answer in its place.
        if process.listens_on(port) && probe().await {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Redis;

    #[tokio::test]
    async fn a_port_that_somebody_else_has_is_given_up_for_the_next() {
        let Some(other) = Redis::start().await else {
            return;
        };
        let (_, taken) = other
            .url()
            .rsplit_once(':')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .expect("a port");
        let taken: u16 = taken.parse().expect("a number");
        let ports = std::iter::once(taken).chain(free_ports());
        let (port, process) = start_on(ports, Redis::launch).await.expect("it starts");
        assert_ne!(port, taken);
        assert!(process.listens_on(port) && !process.listens_on(taken));
    }

    #[tokio::test]
    async fn a_server_that_does_not_start_for_another_reason_is_no_matter_of_ports() {
        let mut tried = 0;
        let launch = async |_| {
            tried += 1;
            anyhow::bail!("no such option")
        };
        let error = start_on(free_ports(), launch).await.expect_err("it fails");
        assert_eq!((error.to_string().as_str(), tried), ("no such option", 1));
    }

    #[test]
    fn every_server_is_understood() {
        for said in [
            "Could not create server TCP listening socket 127.0.0.1:6379: bind: Address already in use",
            "could not bind IPv4 address \"127.0.0.1\": Address already in use",
            "Error listening on port: 127.0.0.1:4222, listen tcp: bind: address already in use",
        ] {
            assert!(is_taken(said), "{said}");
        }
    }
}
