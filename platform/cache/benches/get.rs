//! What a hit in memory costs: `cargo bench -p cache`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cache::{Cache, CacheConfig, Tier};
use kernel::Ctx;
use telemetry::Metrics;

const ENTRIES: usize = 10_000;
const ROUNDS: usize = 300;

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let config = CacheConfig {
        name: "bench",
        capacity: 100_000,
        ttl: Duration::from_secs(600),
        tier: Tier::Memory,
    };
    let cache = Cache::<String>::new(config, &Ctx::system(), &Metrics::new());
    let keys: Vec<String> = (0..ENTRIES).map(|n| format!("ex.org/{n:07}")).collect();
    for key in &keys {
        cache.put(key, key.clone());
    }
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            for key in &keys {
                black_box(cache.get(black_box(key)));
            }
            began.elapsed().as_nanos() / ENTRIES as u128
        })
        .collect();
    rounds.sort_unstable();
    let (p50, p99) = (rounds[ROUNDS / 2], rounds[ROUNDS * 99 / 100]);
    println!(
        "cache get, hit in memory, {ENTRIES} keys: p50 {p50} ns, p99 {p99} ns a call (means of rounds)"
    );
}
