//! The yardstick: wrk with one thread and as many connections, which sends as fast as it is
//! answered.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::to_end;
use crate::{CONNECTIONS, Round};

/// Lets wrk load `url`; `None` where it is not installed.
pub(crate) fn measure(url: &str, length: Duration) -> io::Result<Option<Round>> {
    let known = Command::new("wrk")
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if known.is_err() {
        return Ok(None);
    }
    let mut command = Command::new("wrk");
    command.args(["-t1", "--latency"]).args([
        format!("-c{CONNECTIONS}"),
        format!("-d{}", length.as_secs()),
        url.to_owned(),
    ]);
    let ended = to_end(&mut command)?;
    let requests = ended.said.lines().find_map(|line| {
        let (requests, rest) = line.trim().split_once(" requests in ")?;
        let seconds = rest.split_once("s,")?.0.parse::<f64>().ok()?;
        Some((requests.parse().ok()?, seconds))
    });
    let (answered, seconds) = requests.ok_or_else(|| io::Error::other("wrk said nothing"))?;
    let latency_ms = ["50%", "99%"].map(|quantile| {
        let line = ended
            .said
            .lines()
            .find_map(|line| line.trim().strip_prefix(quantile));
        line.and_then(|time| milliseconds(time.trim()))
            .unwrap_or(f64::NAN)
    });
    let most = ended
        .said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Latency "));
    let most = most.and_then(|line| milliseconds(line.split_whitespace().nth(2)?));
    Ok(Some(Round {
        answered,
        failed: 0,
        seconds,
        latency_ms: [latency_ms[0], latency_ms[1], most.unwrap_or(f64::NAN)],
        verdict: String::new(),
        ended,
    }))
}

/// `1.35ms`, `840.00us`, `1.20s`.
fn milliseconds(text: &str) -> Option<f64> {
    for (unit, factor) in [("us", 1e-3), ("ms", 1.0), ("s", 1e3)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Some(number.parse::<f64>().ok()? * factor);
        }
    }
    None
}
