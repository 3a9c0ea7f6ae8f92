//! What a hit in memory costs: `cargo bench -p cache`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cache::{Cache, CacheConfig, Tier};
use kernel::Ctx;
use telemetry::Metrics;

const CALLS: usize = 10_000;
const ROUNDS: usize = 300;

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    for keys in [1, 100, 10_000] {
        let (p50, p99) = hits(keys);
        println!(
            "a hit in memory, {keys:>6} keys in turn: p50 {p50} ns, p99 {p99} ns (of means of {CALLS})"
        );
    }
}

/// The cost of a hit, in nanoseconds, over so many keys in turn.
fn hits(keys: usize) -> (u128, u128) {
    let config = CacheConfig {
        name: "bench",
        capacity: 100_000,
        ttl: Duration::from_secs(600),
        tier: Tier::Memory,
    };
    let cache = Cache::<String>::new(config, &Ctx::system(), &Metrics::new());
    let keys: Vec<String> = (0..keys).map(|n| format!("ex.org/{n:07}")).collect();
    for key in &keys {
        cache.put(key, key.clone());
    }
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            for key in keys.iter().cycle().take(CALLS) {
                black_box(cache.get(black_box(key)));
            }
            began.elapsed().as_nanos() / CALLS as u128
        })
        .collect();
    rounds.sort_unstable();
    (rounds[ROUNDS / 2], rounds[ROUNDS * 99 / 100])
}
