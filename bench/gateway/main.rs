//! What a proxied request costs in CPU time: this gateway, nginx and HAProxy side by side, in one
//! run, each with one worker; and what the gateway adds to a handler in its own process.
//!
//! `cargo bench -p gateway`. `BENCH_SECONDS` (5) and `BENCH_ROUNDS` (4) set the length. The wall
//! clock depends on the machine and its other work; CPU per request far less, so that is compared.

mod load;
mod process;
mod rival;
mod role;

use std::io::{self, Write as _};
use std::time::Duration;

use process::Running;

/// The same as in the binary, for every role that this program plays.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many connections the load keeps open.
const CONNECTIONS: usize = 32;

/// Something that answers requests, and what it has cost so far.
struct Contestant {
    name: &'static str,
    running: Running,
    micros: Vec<f64>,
    rates: Vec<f64>,
}

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip_while(|a| a != "--role").skip(1);
    if let Some(role) = args.next() {
        return role::play(&role, &args.collect::<Vec<_>>());
    }
    let number = |name, or| {
        std::env::var(name)
            .ok()
            .and_then(|v| v.parse().ok())
            .unwrap_or(or)
    };
    let seconds = Duration::from_secs(number("BENCH_SECONDS", 5));
    let rounds: u64 = number("BENCH_ROUNDS", 4);
    let dir = std::env::temp_dir().join(format!("tradewind-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let backends = [
        Running::role("backend", &[])?,
        Running::role("backend", &[])?,
    ];
    let addrs: Vec<String> = backends.iter().map(|b| b.addr.clone()).collect();

    let mut proxies = vec![contestant(
        "tradewind gateway",
        Running::role("gateway", &addrs)?,
    )];
    for (name, found) in [
        ("nginx", rival::nginx(&dir, &addrs)?),
        ("haproxy", rival::haproxy(&dir, &addrs)?),
    ] {
        match found {
            Some(running) => proxies.push(contestant(name, running)),
            None => say(&format!(
                "skipped: {name} is not installed (apt-get install {name})"
            ))?,
        }
    }
    say(&format!(
        "load: {}, {CONNECTIONS} connections, {rounds} rounds",
        load::name()
    ))?;
    compare(
        "a proxied request (512 bytes, two backends)",
        &mut proxies,
        seconds,
        rounds,
    )?;
    drop(proxies);
    drop(backends);
    std::fs::remove_dir_all(&dir)?;

    let mut fronts = vec![
        contestant("gateway, handler in process", Running::role("local", &[])?),
        contestant("bare hyper server", Running::role("bare", &[])?),
    ];
    compare("a constant 302 (no upstream)", &mut fronts, seconds, rounds)
}

fn contestant(name: &'static str, running: Running) -> Contestant {
    Contestant {
        name,
        running,
        micros: Vec::new(),
        rates: Vec::new(),
    }
}

/// Loads each in turn, there and back again, and prints medians and ratios to the first.
fn compare(
    what: &str,
    contestants: &mut [Contestant],
    seconds: Duration,
    rounds: u64,
) -> io::Result<()> {
    for contestant in contestants.iter_mut() {
        load::run(
            &contestant.running.addr,
            CONNECTIONS,
            Duration::from_secs(1),
        )?;
    }
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..contestants.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let contestant = &mut contestants[index];
            let before = contestant.running.cpu()?;
            let done = load::run(&contestant.running.addr, CONNECTIONS, seconds)?;
            let spent = contestant.running.cpu()? - before;
            if done.failed > 0 {
                say(&format!(
                    "{}: {} requests failed",
                    contestant.name, done.failed
                ))?;
            }
            contestant
                .micros
                .push(spent.as_secs_f64() * 1e6 / done.answered.max(1) as f64);
            contestant
                .rates
                .push(done.answered as f64 / done.took.as_secs_f64());
        }
    }
    say(&format!("\n{what}"))?;
    say(&format!(
        "{:<30} {:>14} {:>8} {:>12}  each round",
        "", "CPU us/request", "ratio", "requests/s"
    ))?;
    let first = median(&contestants[0].micros);
    for c in contestants.iter() {
        let (cost, rate) = (median(&c.micros), median(&c.rates));
        let each: Vec<String> = c.micros.iter().map(|m| format!("{m:.1}")).collect();
        let each = each.join(" ");
        say(&format!(
            "{:<30} {cost:>14.1} {:>8.2} {rate:>12.0}  {each}",
            c.name,
            cost / first
        ))?;
    }
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
