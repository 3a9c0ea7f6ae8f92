//! CPU per redirect: Tradewind with clicks recorded, beside a bare hyper server with a constant 302.
//!
//! `cargo bench -p tradewind --bench links [-- --seconds 30 --rounds 2]`. Both servers are processes
//! of their own; the same load drives them in turn (ABBA), and the figure is the processor time
//! that the server's process spent, divided by the requests that it answered. Each round ends when
//! its clicks are folded; a fold costs by links, not by clicks, so short rounds of many links show
//! folds that a lasting load would not have.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod bare;
mod drive;
mod process;

use std::time::Duration;

use process::Server;

/// The same as in the binary, so that the yardstick has no other allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 2] = [1, 100_000];

struct Options {
    seconds: u64,
    rounds: usize,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|a| a == "bare") {
        return bare::serve();
    }
    let number = |flag: &str, default: u64| {
        args.iter()
            .position(|a| a == flag)
            .and_then(|at| args.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let options = Options {
        seconds: number("--seconds", 30),
        rounds: usize::try_from(number("--rounds", 2))?,
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(&options))
}

async fn run(options: &Options) -> anyhow::Result<()> {
    let bare = Server::bare().await?;
    let tradewind = Server::tradewind().await?;
    println!(
        "CPU per redirect, microseconds; {} rounds of {} s, 32 connections",
        options.rounds, options.seconds
    );
    println!(
        "{:>8} {:>12} {:>12} {:>8}   {:>14}",
        "links", "bare hyper", "tradewind", "ratio", "tradewind req/s"
    );
    let mut codes: Vec<String> = Vec::new();
    for size in SIZES {
        drive::grow(tradewind.address, &mut codes, size).await?;
        let targets: Vec<String> = codes.iter().map(|c| format!("/{c}")).collect();
        let window = Duration::from_secs(options.seconds);
        let warm = window.min(Duration::from_secs(3));
        for server in [&bare, &tradewind] {
            drive::load(server.address, &targets, warm).await?;
        }
        drive::settle(&tradewind).await;
        let (mut ours, mut theirs, mut rates) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..options.rounds {
            let order: [&Server; 2] = if round % 2 == 0 {
                [&bare, &tradewind]
            } else {
                [&tradewind, &bare]
            };
            for server in order {
                let before = server.cpu()?;
                let answered = drive::load(server.address, &targets, window).await?;
                // What is recorded in the background counts: wait until the folds are through.
                drive::settle(server).await;
                let micros = (server.cpu()? - before).as_secs_f64() * 1e6 / answered as f64;
                if server.pid == bare.pid {
                    theirs.push(micros);
                } else {
                    ours.push(micros);
                    rates.push(answered as f64 / window.as_secs_f64());
                }
            }
        }
        let (a, b) = (median(&mut theirs), median(&mut ours));
        println!(
            "{size:>8} {a:>12.2} {b:>12.2} {:>8.2}   {:>14.0}",
            b / a,
            median(&mut rates)
        );
    }
    drive::check_counts(tradewind.address, &codes).await
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
