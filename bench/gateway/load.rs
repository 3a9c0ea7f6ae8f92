//! The load: `wrk` where it is installed, a plain keep-alive client otherwise.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

/// What a load has seen.
pub(crate) struct Done {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) took: Duration,
}

/// What drives the load.
pub(crate) fn name() -> &'static str {
    if has_wrk() {
        "wrk"
    } else {
        "own client (wrk is not installed: apt-get install wrk)"
    }
}

fn has_wrk() -> bool {
    // wrk answers `-v` with a failure, so being found is what counts.
    Command::new("wrk").arg("-v").output().is_ok()
}

pub(crate) fn run(addr: &str, connections: usize, length: Duration) -> io::Result<Done> {
    if has_wrk() {
        wrk(addr, connections, length)
    } else {
        own(addr, connections, length)
    }
}

fn wrk(addr: &str, connections: usize, length: Duration) -> io::Result<Done> {
    let begun = Instant::now();
    let output = Command::new("wrk")
        .args([
            "-t1",
            &format!("-c{connections}"),
            &format!("-d{}s", length.as_secs().max(1)),
        ])
        .arg(format!("http://{addr}/some/path"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number_before = |mark: &str| {
        let line = text.lines().find(|l| l.contains(mark))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let bad = text
        .lines()
        .find_map(|l| l.trim().strip_prefix("Non-2xx or 3xx responses:"));
    let socket = text.lines().find(|l| l.contains("Socket errors"));
    Ok(Done {
        answered: number_before("requests in").unwrap_or(0),
        failed: bad
            .and_then(|b| b.trim().parse().ok())
            .unwrap_or(u64::from(socket.is_some())),
        took: begun.elapsed(),
    })
}

fn own(addr: &str, connections: usize, length: Duration) -> io::Result<Done> {
    let begun = Instant::now();
    let counts: Vec<io::Result<(u64, u64)>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|_| scope.spawn(move || client(addr, begun + length)))
            .collect();
        let died = |_| Err(io::Error::other("a client died"));
        clients
            .into_iter()
            .map(|c| c.join().unwrap_or_else(died))
            .collect()
    });
    let mut done = Done {
        answered: 0,
        failed: 0,
        took: begun.elapsed(),
    };
    for count in counts {
        let (answered, failed) = count?;
        done.answered += answered;
        done.failed += failed;
    }
    Ok(done)
}

fn client(addr: &str, until: Instant) -> io::Result<(u64, u64)> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    let (mut answered, mut failed, mut buffer) = (0, 0, vec![0; 64 * 1024]);
    while Instant::now() < until {
        write!(stream, "GET /some/path HTTP/1.1\r\nHost: {addr}\r\n\r\n")?;
        let mut have = 0;
        let head = loop {
            let got = stream.read(&mut buffer[have..])?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            have += got;
            if let Some(end) = buffer[..have].windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text
            .split("content-length:")
            .nth(1)
            .and_then(|l| l.split("\r\n").next());
        let length: usize = length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
        while have < head + length {
            let got = stream.read(&mut buffer[have..])?;
            have += got.max(1);
        }
        let good = text.starts_with("http/1.1 2") || text.starts_with("http/1.1 3");
        answered += 1;
        failed += u64::from(!good);
    }
    Ok((answered, failed))
}
