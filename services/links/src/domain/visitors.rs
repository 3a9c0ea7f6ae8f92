//! How many different visitors: exact up to a bound, then a sketch (HyperLogLog).

use serde::{Deserialize, Serialize};

/// The most visitors that are kept one by one.
pub(crate) const EXACT_MAX: usize = 512;
/// 2^12 registers: a standard error of 1.04 / 64 = 1.6 %.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;

/// A set of visitors, known by their hashes of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Visitors {
    /// Sorted, without twins.
    Exact(Vec<u64>),
    /// For each register the longest run of zeros seen, plus one.
    Sketch(Vec<u8>),
}

impl Default for Visitors {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Visitors {
    /// Adds visitors.
    pub(crate) fn add(&mut self, hashes: &[u64]) {
        match self {
            Self::Exact(known) => {
                known.extend_from_slice(hashes);
                known.sort_unstable();
                known.dedup();
                if known.len() > EXACT_MAX {
                    let mut registers = vec![0; REGISTERS];
                    known.iter().for_each(|hash| note(&mut registers, *hash));
                    *self = Self::Sketch(registers);
                }
            }
            Self::Sketch(registers) => hashes.iter().for_each(|hash| note(registers, *hash)),
        }
    }

    /// Adds everybody of `more`.
    pub(crate) fn merge(&mut self, more: &Self) {
        match (&mut *self, more) {
            (_, Self::Exact(hashes)) => self.add(hashes),
            (Self::Sketch(mine), Self::Sketch(theirs)) => {
                mine.iter_mut()
                    .zip(theirs)
                    .for_each(|(a, b)| *a = (*a).max(*b));
            }
            (Self::Exact(mine), Self::Sketch(theirs)) => {
                let mut registers = theirs.clone();
                registers.resize(REGISTERS, 0);
                mine.iter().for_each(|hash| note(&mut registers, *hash));
                *self = Self::Sketch(registers);
            }
        }
    }

    /// How many there are, and whether that is exact.
    pub(crate) fn count(&self) -> (u64, bool) {
        match self {
            Self::Exact(known) => (known.len() as u64, true),
            Self::Sketch(registers) => (estimate(registers), false),
        }
    }
}

fn note(registers: &mut [u8], hash: u64) {
    let at = (hash >> (64 - BITS)) as usize;
    let rest = hash << BITS;
    let rank = u8::try_from(rest.leading_zeros().min(64 - BITS) + 1).unwrap_or(u8::MAX);
    if let Some(register) = registers.get_mut(at) {
        *register = (*register).max(rank);
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, far below 2^52"
)]
fn estimate(registers: &[u8]) -> u64 {
    let m = registers.len() as f64;
    let sum: f64 = registers.iter().map(|r| 0.5_f64.powi(i32::from(*r))).sum();
    let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    let empty = registers.iter().filter(|r| **r == 0).count();
    let best = if raw <= 2.5 * m && empty > 0 {
        m * (m / empty as f64).ln()
    } else {
        raw
    };
    best.round() as u64
}

#[cfg(test)]
mod tests {
    use kernel::{Random as _, SeededRandom};

    use super::*;

    fn crowd(seed: u64, n: usize) -> Vec<u64> {
        let random = SeededRandom::new(seed);
        (0..n).map(|_| random.next_u64()).collect()
    }

    #[test]
    fn few_are_counted_exactly_however_often_they_come() {
        let mut visitors = Visitors::default();
        let people = crowd(1, 300);
        visitors.add(&people);
        visitors.add(&people[..200]);
        assert_eq!(visitors.count(), (300, true));
    }

    #[test]
    fn many_are_counted_within_a_few_percent() {
        for n in [1_000_u64, 10_000, 100_000] {
            let mut visitors = Visitors::default();
            let people = crowd(n, usize::try_from(n).expect("small"));
            people.chunks(97).for_each(|some| visitors.add(some));
            let (count, exact) = visitors.count();
            assert!(
                !exact && count.abs_diff(n) * 100 < n * 6,
                "{count} instead of {n}"
            );
        }
    }

    #[test]
    fn two_halves_make_the_whole_in_any_form() {
        let people = crowd(5, 2_000);
        for split in [10, 1_990, 1_000] {
            let (mut left, mut right, mut whole) = (
                Visitors::default(),
                Visitors::default(),
                Visitors::default(),
            );
            left.add(&people[..split]);
            right.add(&people[split..]);
            whole.add(&people);
            left.merge(&right);
            assert_eq!(left, whole, "split at {split}");
        }
    }
}
