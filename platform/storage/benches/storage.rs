//! Durable transactions a second: a row, its index and an outbox row, with 1 to 256 clients.
//!
//! `cargo bench -p storage` runs this crate's seam, bare rusqlite with the same kind of group commit,
//! one transaction each, and PostgreSQL, in turns, and prints the medians side by side.
//! Every one syncs before it answers. `ROUNDS=9` and `SECONDS=2` change how long it takes.

#[path = "storage/bare.rs"]
mod bare;
#[path = "storage/seam.rs"]
mod seam;

use std::time::Duration;

const CLIENTS: [usize; 4] = [1, 8, 64, 256];
const NAMES: [&str; 4] = [
    "seam sqlite",
    "bare group",
    "bare one each",
    "seam postgres",
];

/// Transactions a second of one run.
type Rate = f64;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(default)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn main() {
    let rounds = setting("ROUNDS", 5);
    let time = Duration::from_millis(setting("SECONDS", 1) * 1_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let postgres = runtime.block_on(testkit::Postgres::start(true));
    println!("durable transactions a second, median of {rounds} runs of {time:?} in turns\n");
    println!(
        "{:>8} {:>14} {:>14} {:>14} {:>14}   seam/bare",
        "clients", NAMES[0], NAMES[1], NAMES[2], NAMES[3]
    );
    for clients in CLIENTS {
        let mut rates: [Vec<Rate>; 4] = Default::default();
        for _ in 0..rounds {
            rates[0].push(runtime.block_on(seam::sqlite(clients, time)));
            rates[1].push(runtime.block_on(bare::group(clients, time)));
            rates[2].push(bare::one_each(clients, time));
            if let Some(postgres) = &postgres {
                rates[3].push(runtime.block_on(seam::postgres(&postgres.url(), clients, time)));
            }
        }
        let ratios: Vec<f64> = rates[0].iter().zip(&rates[1]).map(|(a, b)| a / b).collect();
        let cells: Vec<String> = rates.into_iter().map(|r| cell(median(r))).collect();
        println!(
            "{clients:>8} {:>14} {:>14} {:>14} {:>14}   {:.2}",
            cells[0],
            cells[1],
            cells[2],
            cells[3],
            median(ratios)
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn cell(rate: f64) -> String {
    if rate.is_nan() {
        "-".to_owned()
    } else {
        format!("{rate:.0}")
    }
}
