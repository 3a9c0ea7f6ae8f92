//! What the load generator can do: its rate, CPU time, memory and honesty against a bare hyper
//! server, beside `wrk` where that is installed.
//!
//! `cargo bench -p load`. `BENCH_SECONDS` (5) and `BENCH_ROUNDS` (3) set the length. Server and
//! generator are processes of their own with one thread each, pinned to nothing.

mod process;
mod role;
mod wrk;

use std::io::{self, Write as _};
use std::time::Duration;

use process::{Ended, Server};

/// The same as in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many connections each generator keeps open.
pub(crate) const CONNECTIONS: usize = 64;
/// The rate that one core is to hold, in requests per second.
const AIM_RATE: f64 = 20_000.0;
/// The memory that it may take for that.
const AIM_BYTES: u64 = 64 << 20;
/// More than any core can send: what comes out is the most that there is.
const MORE_THAN_POSSIBLE: f64 = 200_000.0;

/// What one generator did in one round.
struct Round {
    answered: u64,
    failed: u64,
    seconds: f64,
    /// p50, p99 and max of the latency, in milliseconds.
    latency_ms: [f64; 3],
    verdict: String,
    ended: Ended,
}

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip_while(|arg| arg != "--role").skip(1);
    if let Some(role) = args.next() {
        return role::play(&role, &args.collect::<Vec<_>>());
    }
    let number = |name, or| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or(or)
    };
    let seconds = Duration::from_secs(number("BENCH_SECONDS", 5));
    let rounds = number("BENCH_ROUNDS", 3);
    let server = Server::start()?;
    say(&format!(
        "a bare hyper server, {CONNECTIONS} connections, {rounds} rounds of {seconds:?}\n"
    ))?;
    say(&format!(
        "{:<26}{:>12}{:>9}{:>14}{:>10}{:>9}{:>9}{:>9}",
        "", "answered/s", "errors", "CPU us each", "MiB", "p50 ms", "p99 ms", "max ms"
    ))?;
    let mut held = true;
    for _ in 0..rounds {
        let round = role::measure(&server.url, AIM_RATE, seconds)?;
        held &= holds(&round);
        row("load, 20,000/s", &round)?;
        row(
            "load, all it can",
            &role::measure(&server.url, MORE_THAN_POSSIBLE, seconds)?,
        )?;
        match wrk::measure(&server.url, seconds)? {
            Some(round) => row("wrk, closed loop", &round)?,
            None => say("wrk is not installed: not compared (apt-get install wrk)")?,
        }
    }
    let word = if held { "held" } else { "missed" };
    say(&format!(
        "\nthe aim, {AIM_RATE}/s on one core below {} MiB: {word}",
        AIM_BYTES >> 20
    ))
}

/// Whether a round reached the aim: the whole rate, on less than a core, in the memory.
fn holds(round: &Round) -> bool {
    let rate = round.answered as f64 / round.seconds;
    let core = round.ended.cpu.as_secs_f64() / round.seconds;
    rate >= AIM_RATE * 0.99
        && core < 1.0
        && round.ended.memory_bytes < AIM_BYTES
        && round.failed == 0
}

fn row(name: &str, round: &Round) -> io::Result<()> {
    let [p50, p99, max] = round.latency_ms;
    say(&format!(
        "{name:<26}{:>12.0}{:>9}{:>14.1}{:>10.1}{p50:>9.2}{p99:>9.2}{max:>9.2}  {}",
        round.answered as f64 / round.seconds,
        round.failed,
        round.ended.cpu.as_secs_f64() * 1e6 / round.answered.max(1) as f64,
        round.ended.memory_bytes as f64 / f64::from(1 << 20),
        round.verdict
    ))
}

pub(crate) fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
