//! Processes under test: started, measured by `/proc`, ended.

use std::io::{self, BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that listens on `addr`. Ended when dropped.
pub(crate) struct Running {
    pub(crate) addr: String,
    child: Child,
}

impl Running {
    /// This very program in another role; it prints its address.
    pub(crate) fn role(role: &str, args: &[String]) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--role", role])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no output"))?;
        let mut addr = String::new();
        BufReader::new(stdout).read_line(&mut addr)?;
        Ok(Self {
            addr: addr.trim().to_owned(),
            child,
        })
    }

    /// Another program, which is told to listen on `addr`.
    pub(crate) fn program(command: &mut Command, addr: String) -> io::Result<Self> {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let running = Self { addr, child };
        let since = Instant::now();
        while TcpStream::connect(&running.addr).is_err() {
            if since.elapsed() > Duration::from_secs(5) {
                return Err(io::Error::other(format!("{command:?} does not listen")));
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(running)
    }

    /// The CPU time of the process and its children so far.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let own = self.child.id();
        let mut ticks = ticks_of(own)?.0;
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let pid = entry
                .file_name()
                .to_str()
                .and_then(|n| n.parse::<u32>().ok());
            if let Some(Ok((spent, parent))) = pid.map(ticks_of)
                && parent == own
            {
                ticks += spent;
            }
        }
        // Linux has counted in hundredths of a second here on every platform for decades.
        Ok(Duration::from_millis(ticks * 10))
    }
}

/// User and system ticks of a process, and its parent.
fn ticks_of(pid: u32) -> io::Result<(u64, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let field = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Ok((field(11) + field(12), u32::try_from(field(1)).unwrap_or(0)))
}

impl Drop for Running {
    fn drop(&mut self) {
        // nginx's workers end with their master only when it is asked kindly.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let since = Instant::now();
        while self.child.try_wait().is_ok_and(|s| s.is_none()) {
            if since.elapsed() > Duration::from_secs(3) {
                let _ = self.child.kill();
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

/// A loopback address that is free now.
pub(crate) fn free_addr() -> io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
